using System.Text.Json.Nodes;
using Handbook.Autograd;
using Handbook.Models.Adapters;
using Handbook.Models.Safetensors;
using Handbook.TestSupport;
using Handbook.Torch;

namespace Handbook.Models.Tests.Golden;

/// <summary>PEFT's adapters around a loaded model, which no block, operation or head knows of: PEFT's numbers come out.</summary>
[Trait("Category", "Golden")]
public sealed class LowRankGoldenTests
{
    public static TheoryData<string> Folders() =>
        [.. Directory.GetDirectories(SharedFolders.Golden("models", "lora"))
            .Select(folder => Path.GetFileName(folder)!).Order(StringComparer.Ordinal)];

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
            using var adapter = Adapter.Load(model, new AdapterFolder(PathOf(folder)), isTrained: true);
            var batch = GoldenBatch.Padded(inputs);
            using var tape = new Tape();

            var hidden = model.Forward(tape, batch.Ids, batch.Layout, new ForwardOptions { Recompute = recompute }).Hidden;
            var (loss, _) = model.Head.Loss(tape, hidden, batch.Rows, batch.Labels, [-1f / batch.Labels.Length]);
            tape.Backward(loss);

            Assert.InRange(model.Head.Logits(hidden.Value).MaxAbsDifference(batch.Pick(outputs.Get("logits"))), 0, 1e-4);
            Assert.Equal(outputs.Get("loss").Item(), loss.Value.Item(), 1e-5);
            Assert.Equal(Sorted(gradients.Header.Tensors.Keys), Sorted(adapter.Parameters.Select(parameter => parameter.Name)));
            Assert.Equal(adapter.Parameters, model.Parameters.Where(parameter => parameter.IsTrained), ReferenceEqualityComparer.Instance);
            foreach (var parameter in adapter.Parameters)
                Assert.InRange(GoldenModels.RelativeDistance(parameter.Grad!, gradients.Get(parameter.Name)), 0, 1e-4);
            Assert.All(model.Parameters.Except(adapter.Parameters), parameter => Assert.Null(parameter.Grad));

            // The same model with its adapters held off is the reference.
            using (adapter.Switch.Off())
            {
                using var reference = new Tape(isRecording: false);
                var states = model.Forward(reference, batch.Ids, batch.Layout).Hidden;
                Assert.InRange(model.Head.Logits(states.Value).MaxAbsDifference(batch.Pick(plain.Get("logits"))), 0, 1e-4);
            }
            foreach (var parameter in adapter.Parameters)
                parameter.ZeroGrad();
        }
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Merged_IsPeftsMergedModel(string folder)
    {
        using var scope = new TensorScope();
        using var model = CausalLanguageModel.Load(PathOf(folder), DType.Float32);
        using var merged = Open(folder, "merged_weights.safetensors");
        using var outputs = Open(folder, "outputs.safetensors");
        using var inputs = GoldenModels.Open("llama", "inputs.safetensors");
        var batch = GoldenBatch.Padded(inputs);

        Adapter.Merge(model, model.Adapters);

        var names = merged.Header.Tensors.Keys.ToList();
        Assert.NotEmpty(names);
        foreach (var name in names)
        {
            using var lease = model.Slots.Single(slot => slot.Name == name).Weight.Lease();
            Assert.InRange(lease.Value.MaxAbsDifference(merged.Get(name)), 0, 1e-5);
        }
        using var tape = new Tape(isRecording: false);
        var hidden = model.Forward(tape, batch.Ids, batch.Layout).Hidden;
        Assert.InRange(model.Head.Logits(hidden.Value).MaxAbsDifference(batch.Pick(outputs.Get("logits"))), 0, 1e-4);
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Saved_HasPeftsFiles(string folder)
    {
        using var temporary = new TemporaryFolder();
        using var model = Base();
        using var adapter = Adapter.Load(model, new AdapterFolder(PathOf(folder)));

        adapter.Save(temporary.Path, DType.Float32);

        using var expected = Open(folder, AdapterFolder.WeightsFile);
        using var actual = new SafetensorsFile(Path.Combine(temporary.Path, AdapterFolder.WeightsFile));
        Assert.Equal(Sorted(expected.Header.Tensors.Keys), Sorted(actual.Header.Tensors.Keys));
        using var scope = new TensorScope();
        foreach (var (name, entry) in expected.Header.Tensors)
        {
            Assert.Equal(entry.Shape, actual.Header.Tensors[name].Shape);
            Assert.Equal(0, expected.Get(name).MaxAbsDifference(actual.Get(name)));
        }
        var (theirs, ours) = (Config(PathOf(folder)), Config(temporary.Path));
        Assert.Equal(theirs.Select(field => field.Key).Except(["corda_config", "eva_config"]).Order(StringComparer.Ordinal),
            Sorted(ours.Select(field => field.Key)));
        foreach (var (key, value) in ours)
            Assert.True(JsonNode.DeepEquals(value, theirs[key]), $"{key}: {value?.ToJsonString()} where PEFT has "
                + $"{theirs[key]?.ToJsonString()}");
    }

    private static CausalLanguageModel Base() => CausalLanguageModel.Load(GoldenModels.PathOf("llama"), DType.Float32);

    private static IEnumerable<string> Sorted(IEnumerable<string> names) => names.Order(StringComparer.Ordinal);

    private static string PathOf(string folder) => SharedFolders.Golden("models", "lora", folder);

    private static SafetensorsFile Open(string folder, string file) => new(Path.Combine(PathOf(folder), file));

    private static JsonObject Config(string folder) =>
        JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "adapter_config.json")))!.AsObject();
}
