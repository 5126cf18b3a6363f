using Handbook.Autograd;
using Handbook.Autograd.Elementary;
using Handbook.Autograd.Kernels;
using Handbook.Models.Safetensors;
using Handbook.TestSupport;
using Handbook.Torch;

namespace Handbook.Models.Tests.Golden;

[Trait("Category", "Golden")]
public sealed class CausalGoldenTests
{
    public static TheoryData<string, bool> Models()
    {
        var rows = new TheoryData<string, bool>();
        foreach (var folder in GoldenModels.Causal)
        {
            rows.Add(folder, true);
            rows.Add(folder, false);
        }
        return rows;
    }

    public static TheoryData<string> Folders() => [.. GoldenModels.Causal];

    [Fact]
    public void DefaultFolder_HasLlamaVariants()
    {
        if (TestSupport.SharedFolders.IsDefaultGolden)
            Assert.Superset(new HashSet<string> { "llama", "llama3_rope", "llama_bias_linear_rope" }, GoldenModels.Causal.ToHashSet());
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Forward_PaddedBatch_GivesReferenceHiddenStatesAndLogits(string folder, bool fused) => With(folder, fused, model =>
    {
        using var outputs = GoldenModels.Open(folder, "outputs.safetensors");
        using var inputs = GoldenModels.Open(folder, "inputs.safetensors");
        var batch = GoldenBatch.Padded(inputs);
        var seen = new List<Tensor>();
        using var tape = new Tape(isRecording: false);

        var hidden = model.Forward(tape, batch.Ids, batch.Layout, new ForwardOptions { Observe = state => seen.Add(state.Clone()) });

        // The oracle's release collected layer outputs (no embeddings) for most families and layer inputs (the last one after
        // the final norm) for others; the README describes the second.
        var outputsOfLayers = seen.Skip(1).ToArray();
        var inputsOfLayers = seen.Where((_, i) => i != model.Config.Layers.Count).ToArray();
        Assert.InRange(
            Math.Min(LargestDistance(outputsOfLayers, outputs, batch), LargestDistance(inputsOfLayers, outputs, batch)), 0, 1e-4);
        Assert.InRange(Logits(model, hidden.Hidden).MaxAbsDifference(batch.Pick(outputs.Get("logits"))), 0, 1e-4);
    });

    [Theory]
    [MemberData(nameof(Models))]
    public void Forward_PackedRow_GivesReferenceLogits(string folder, bool fused) => With(folder, fused, model =>
    {
        using var outputs = GoldenModels.Open(folder, "outputs.safetensors");
        using var inputs = GoldenModels.Open(folder, "inputs.safetensors");
        var batch = GoldenBatch.Packed(inputs);
        using var tape = new Tape(isRecording: false);

        var logits = Logits(model, model.Forward(tape, batch.Ids, batch.Layout).Hidden);

        Assert.InRange(logits.MaxAbsDifference(batch.Pick(outputs.Get("packed_logits"))), 0, 1e-4);
    });

    [Theory]
    [MemberData(nameof(Models))]
    public void Backward_PaddedBatch_GivesReferenceLossAndGradients(string folder, bool fused)
    {
        foreach (var recompute in new[] { false, true })
        {
            With(folder, fused, model =>
            {
                using var outputs = GoldenModels.Open(folder, "outputs.safetensors");
                using var gradients = GoldenModels.Open(folder, "grads.safetensors");
                using var inputs = GoldenModels.Open(folder, "inputs.safetensors");
                var meta = GoldenModels.Meta(folder)["padded"]!;

                var (loss, tokenLoss) = Backward(model, GoldenBatch.Padded(inputs), recompute, model.Config.RouterAuxLossCoefficient);

                Assert.Equal(outputs.Get("loss").Item(), loss, 1e-5);
                Assert.Equal(outputs.Get("lm_loss").Item(), tokenLoss, 1e-5);
                var stored = StoredGradients(model);
                Assert.Equal(gradients.Header.Tensors.Keys.Order(StringComparer.Ordinal), stored.Keys.Order(StringComparer.Ordinal));
                foreach (var (name, gradient) in stored)
                    Assert.InRange(GoldenModels.RelativeDistance(gradient, gradients.Get(name)), 0, 1e-4);
                AssertNorms(model, meta);
            });
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Backward_PackedRow_GivesReferenceLossAndNorms(string folder, bool fused) => With(folder, fused, model =>
    {
        using var outputs = GoldenModels.Open(folder, "outputs.safetensors");
        using var inputs = GoldenModels.Open(folder, "inputs.safetensors");

        var (loss, _) = Backward(model, GoldenBatch.Packed(inputs), recompute: false, routerCoefficient: 0);

        Assert.Equal(outputs.Get("packed_lm_loss").Item(), loss, 1e-5);
        AssertNorms(model, GoldenModels.Meta(folder)["packed"]!);
    });

    [Theory]
    [MemberData(nameof(Folders))]
    public void Step_OnMeta_ReadsNothing(string folder)
    {
        using var scope = new TensorScope();
        using var model = CausalLanguageModel.Load(GoldenModels.PathOf(folder), DType.BFloat16, Device.Meta);
        using var inputs = GoldenModels.Open(folder, "inputs.safetensors");
        var batch = GoldenBatch.Padded(inputs);
        using var waits = new DeviceWaitCount();
        using var tape = new Tape();

        var output = model.Forward(tape, batch.Ids, batch.Layout, new ForwardOptions { Recompute = true });
        var (loss, _) = model.Head.Loss(tape, output.Hidden, batch.Rows, batch.Labels, [-1f / batch.Labels.Length]);
        tape.Backward(loss);

        Assert.Empty(waits.Counts);
        Assert.All(model.Parameters, parameter => Assert.Equal(parameter.Value.Shape.ToArray(), parameter.Grad!.Shape.ToArray()));
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void SaveLoadSave_EveryArchitecture_KeepsNamesShapesAndBytes(string folder)
    {
        using var temporary = new TemporaryFolder();
        using var scope = new TensorScope();
        using (var model = CausalLanguageModel.Load(GoldenModels.PathOf(folder)))
            model.Save(temporary.File("first"), DType.Float32);
        using (var again = CausalLanguageModel.Load(temporary.File("first")))
            again.Save(temporary.File("second"), DType.Float32);

        var (first, second) = (File.ReadAllBytes(temporary.File("first/model.safetensors")),
            File.ReadAllBytes(temporary.File("second/model.safetensors")));
        Assert.True(first.AsSpan().SequenceEqual(second));
        using var original = GoldenModels.Open(folder, "model.safetensors");
        using var saved = new SafetensorsFile(temporary.File("first/model.safetensors"));
        Assert.Equal(original.Header.Tensors.Keys.Order(StringComparer.Ordinal), saved.Header.Tensors.Keys.Order(StringComparer.Ordinal));
        foreach (var name in original.Header.Tensors.Keys)
            Assert.Equal(original.Get(name).ToArray<float>(), saved.Get(name).ToArray<float>());
    }

    private static void With(string folder, bool fused, Action<CausalLanguageModel> body)
    {
        FusedKernels.Enabled = fused;
        try
        {
            using var scope = new TensorScope();
            using var model = CausalLanguageModel.Load(GoldenModels.PathOf(folder), DType.Float32);
            body(model);
        }
        finally
        {
            FusedKernels.Enabled = true;
        }
    }

    private static double LargestDistance(Tensor[] states, SafetensorsFile outputs, GoldenBatch batch) =>
        states.Select((state, i) => state.MaxAbsDifference(batch.Pick(outputs.Get($"hidden_states.{i}")))).Max();

    private static Tensor Logits(CausalLanguageModel model, Variable hidden) => model.Head.Logits(hidden.Value);

    private static (double Loss, double TokenLoss) Backward(
        CausalLanguageModel model, GoldenBatch batch, bool recompute, double routerCoefficient)
    {
        using var tape = new Tape();
        var output = model.Forward(tape, batch.Ids, batch.Layout, new ForwardOptions { Recompute = recompute });
        var (tokenLoss, _) = model.Head.Loss(tape, output.Hidden, batch.Rows, batch.Labels, [-1f / batch.Labels.Length]);
        var loss = tokenLoss;
        if (routerCoefficient != 0)
            loss = tape.Add(loss,
                tape.Scale(Routing.AuxLoss(tape, output.RouterLogits, model.Config.Layers[0].FeedForward.Routing!.ExpertsPerToken),
                    routerCoefficient));
        tape.Backward(loss);
        return (loss.Value.Item(), tokenLoss.Value.Item());
    }

    private static Dictionary<string, Tensor> StoredGradients(CausalLanguageModel model) =>
        model.Parameters.SelectMany(parameter => model.Map.Stored(parameter, parameter.Grad!))
            .ToDictionary(stored => stored.Name, stored => stored.Value);

    private static void AssertNorms(CausalLanguageModel model, System.Text.Json.Nodes.JsonNode meta)
    {
        var norms = meta["grad_norms"]!;
        foreach (var (name, gradient) in StoredGradients(model))
        {
            var expected = norms[name]!.GetValue<double>();
            Assert.Equal(expected, GoldenModels.Norm(gradient), 1e-4 * expected);
        }
        var total = meta["global_grad_norm"]!.GetValue<double>();
        Assert.Equal(total, Math.Sqrt(model.Parameters.Sum(p => Math.Pow(GoldenModels.Norm(p.Grad!), 2))), 1e-4 * total);
    }
}
