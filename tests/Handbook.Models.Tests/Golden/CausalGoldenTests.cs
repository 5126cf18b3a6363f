using Handbook.Autograd;
using Handbook.Autograd.Kernels;
using Handbook.Models.Safetensors;
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

    public static TheoryData<string> Unsupported() => [.. GoldenModels.Unsupported];

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
        var inputsOfLayers = seen.Where((_, i) => i != model.Config.LayerCount).ToArray();
        Assert.InRange(Math.Min(LargestDistance(outputsOfLayers, outputs, batch), LargestDistance(inputsOfLayers, outputs, batch)), 0, 1e-4);
        Assert.InRange(Logits(model, hidden).MaxAbsDifference(batch.Pick(outputs.Get("logits"))), 0, 1e-4);
    });

    [Theory]
    [MemberData(nameof(Models))]
    public void Forward_PackedRow_GivesReferenceLogits(string folder, bool fused) => With(folder, fused, model =>
    {
        using var outputs = GoldenModels.Open(folder, "outputs.safetensors");
        using var inputs = GoldenModels.Open(folder, "inputs.safetensors");
        var batch = GoldenBatch.Packed(inputs);
        using var tape = new Tape(isRecording: false);

        var logits = Logits(model, model.Forward(tape, batch.Ids, batch.Layout));

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

                var loss = Backward(model, GoldenBatch.Padded(inputs), recompute);

                Assert.Equal(outputs.Get("loss").Item(), loss, 1e-5);
                Assert.Equal(outputs.Get("lm_loss").Item(), loss, 1e-5);
                Assert.Equal(gradients.Header.Tensors.Keys.Order(StringComparer.Ordinal), model.Parameters.Select(p => p.Name).Order(StringComparer.Ordinal));
                foreach (var parameter in model.Parameters)
                    Assert.InRange(GoldenModels.RelativeDistance(parameter.Grad!, gradients.Get(parameter.Name)), 0, 1e-4);
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

        var loss = Backward(model, GoldenBatch.Packed(inputs), recompute: false);

        Assert.Equal(outputs.Get("packed_lm_loss").Item(), loss, 1e-5);
        AssertNorms(model, GoldenModels.Meta(folder)["packed"]!);
    });

    [Theory]
    [MemberData(nameof(Unsupported))]
    public void Load_UnsupportedModelType_RefusesByName(string folder)
    {
        var error = Assert.Throws<UserErrorException>(() => CausalLanguageModel.Load(GoldenModels.PathOf(folder)));

        Assert.Contains($"\"{GoldenModels.ModelType(folder)}\" is not supported", error.Message, StringComparison.Ordinal);
        Assert.Contains("config.json", error.Message, StringComparison.Ordinal);
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

    private static Tensor Logits(CausalLanguageModel model, Variable hidden) => hidden.Value.MatMul(model.Head.Value.Transpose(0, 1));

    private static double Backward(CausalLanguageModel model, GoldenBatch batch, bool recompute)
    {
        using var tape = new Tape();
        var hidden = model.Forward(tape, batch.Ids, batch.Layout, new ForwardOptions { Recompute = recompute });
        var (loss, _) = LanguageModelHead.Loss(tape, hidden, model.Head, batch.Rows, batch.Labels, [-1f / batch.Labels.Length]);
        tape.Backward(loss);
        return loss.Value.Item();
    }

    private static void AssertNorms(CausalLanguageModel model, System.Text.Json.Nodes.JsonNode meta)
    {
        var norms = meta["grad_norms"]!;
        foreach (var parameter in model.Parameters)
        {
            var expected = norms[parameter.Name]!.GetValue<double>();
            Assert.Equal(expected, GoldenModels.Norm(parameter.Grad!), 1e-4 * expected);
        }
        var total = meta["global_grad_norm"]!.GetValue<double>();
        Assert.Equal(total, Math.Sqrt(model.Parameters.Sum(p => Math.Pow(GoldenModels.Norm(p.Grad!), 2))), 1e-4 * total);
    }
}
