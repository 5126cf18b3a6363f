using System.Text.Json.Nodes;
using Handbook.Autograd;
using Handbook.Models.Safetensors;
using Handbook.TestSupport;
using Handbook.Torch;

namespace Handbook.Models.Tests.Golden;

/// <summary>A loaded model takes adapters in its slots, and no block, operation or head knows: PEFT's numbers come out.</summary>
[Trait("Category", "Golden")]
public sealed class LowRankGoldenTests
{
    // Adapters that do more than add a low-rank delta are another weight each.
    public static TheoryData<string> Folders() =>
        [.. Directory.GetDirectories(SharedFolders.Golden("models", "lora")).Select(folder => Path.GetFileName(folder)!)
            .Order(StringComparer.Ordinal)
            .Where(folder => Config(folder) is var config && config["use_dora"]!.GetValue<bool>() is false
                && config["modules_to_save"] is not JsonArray)];

    [Theory]
    [MemberData(nameof(Folders))]
    public void Adapted_GivesPeftsLogitsLossAndGradients(string folder)
    {
        foreach (var recompute in new[] { false, true })
        {
            using var scope = new TensorScope();
            using var model = Base();
            using var inputs = GoldenModels.Open("llama", "inputs.safetensors");
            using var plain = GoldenModels.Open("llama", "outputs.safetensors");
            using var outputs = Open(folder, "outputs.safetensors");
            using var gradients = Open(folder, "grads.safetensors");
            var adapters = Adapt(model, folder);
            var batch = GoldenBatch.Padded(inputs);
            using var tape = new Tape();

            var hidden = model.Forward(tape, batch.Ids, batch.Layout, new ForwardOptions { Recompute = recompute }).Hidden;
            var (loss, _) = model.Head.Loss(tape, hidden, batch.Rows, batch.Labels, [-1f / batch.Labels.Length]);
            tape.Backward(loss);

            Assert.InRange(model.Head.Logits(hidden.Value).MaxAbsDifference(batch.Pick(outputs.Get("logits"))), 0, 1e-4);
            Assert.Equal(outputs.Get("loss").Item(), loss.Value.Item(), 1e-5);
            var trained = model.Parameters.Where(parameter => parameter.IsTrained).ToList();
            Assert.Equal(gradients.Header.Tensors.Keys.Order(StringComparer.Ordinal),
                trained.Select(parameter => parameter.Name).Order(StringComparer.Ordinal));
            foreach (var parameter in trained)
                Assert.InRange(GoldenModels.RelativeDistance(parameter.Grad!, gradients.Get(parameter.Name)), 0, 1e-4);
            Assert.All(model.Parameters.Where(parameter => !parameter.IsTrained), parameter => Assert.Null(parameter.Grad));

            // The same model with its adapters held off is the reference.
            using (adapters.Off())
            {
                using var reference = new Tape(isRecording: false);
                var states = model.Forward(reference, batch.Ids, batch.Layout).Hidden;
                Assert.InRange(model.Head.Logits(states.Value).MaxAbsDifference(batch.Pick(plain.Get("logits"))), 0, 1e-4);
            }
            foreach (var parameter in trained)
                parameter.ZeroGrad();
        }
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Lease_OfAnAdaptedWeight_IsPeftsMergedWeight(string folder)
    {
        using var scope = new TensorScope();
        using var model = Base();
        using var merged = Open(folder, "merged_weights.safetensors");
        Adapt(model, folder);
        var compared = 0;
        foreach (var slot in model.Slots.Where(slot => merged.Header.Tensors.ContainsKey(slot.Name)))
        {
            using var lease = slot.Weight.Lease();
            Assert.InRange(lease.Value.MaxAbsDifference(merged.Get(slot.Name)), 0, 1e-5);
            compared++;
        }
        Assert.NotEqual(0, compared);
    }

    private static CausalLanguageModel Base() => CausalLanguageModel.Load(GoldenModels.PathOf("llama"), DType.Float32);

    private static AdapterSwitch Adapt(CausalLanguageModel model, string folder)
    {
        var config = Config(folder);
        var (rank, alpha) = (config["r"]!.GetValue<int>(), config["lora_alpha"]!.GetValue<double>());
        var scale = alpha / (config["use_rslora"]!.GetValue<bool>() ? Math.Sqrt(rank) : rank);
        var adapters = new AdapterSwitch();
        using var file = Open(folder, "adapter_model.safetensors");
        foreach (var parameter in model.Parameters)
            parameter.IsTrained = false;
        foreach (var slot in model.Slots)
        {
            var prefix = "base_model.model." + slot.Name[..slot.Name.LastIndexOf('.')];
            if (file.Header.Tensors.ContainsKey(prefix + ".lora_A.weight"))
                slot.Weight = new LowRankWeight(
                    slot.Weight, Part(file, prefix + ".lora_A.weight"), Part(file, prefix + ".lora_B.weight"), scale, adapters);
        }
        return adapters;
    }

    private static Parameter Part(SafetensorsFile file, string name) => new(name, file.Get(name).Clone());

    private static SafetensorsFile Open(string folder, string file) => new(SharedFolders.Golden("models", "lora", folder, file));

    private static JsonNode Config(string folder) =>
        JsonNode.Parse(File.ReadAllText(SharedFolders.Golden("models", "lora", folder, "adapter_config.json")))!;
}
