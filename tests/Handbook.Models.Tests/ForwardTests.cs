using Handbook.Autograd;
using Handbook.Torch;

namespace Handbook.Models.Tests;

public sealed class ForwardTests
{
    [Fact]
    public void Forward_WithoutScope_DisposesEverythingButTheResult()
    {
        using var model = TinyModels.Create();
        int[] ids = [3, 4, 5, 6, 7];
        var layout = SequenceLayout.Documents([5]);
        using (var warm = new Tape(isRecording: false))
            model.Forward(warm, ids, layout).Dispose();
        var before = Tensor.LiveCount;

        using var tape = new Tape(isRecording: false);
        var hidden = model.Forward(tape, ids, layout);

        // What is left would be kept until the end of a step: intermediate values must be gone as soon as they are used.
        Assert.Equal(before + 1, Tensor.LiveCount);
        hidden.Dispose();
    }

    [Fact]
    public void Forward_Recomputed_GivesTheSameGradientsWithNoise()
    {
        using var model = TinyModels.Create();
        var kept = Gradients(model, new ForwardOptions { NeftuneAlpha = 5 });
        var recomputed = Gradients(model, new ForwardOptions { NeftuneAlpha = 5, Recompute = true });
        var silent = Gradients(model, new ForwardOptions());

        foreach (var (name, gradient) in kept)
        {
            var scale = gradient.Max(Math.Abs);
            Assert.InRange(gradient.Zip(recomputed[name], (a, b) => Math.Abs(a - b)).Max(), 0, 1e-5 * scale);
        }
        Assert.NotEqual(kept["model.norm.weight"], silent["model.norm.weight"]);
    }

    [Fact]
    public void Backward_PaddingToken_GivesItsEmbeddingNoGradient()
    {
        using var plain = TinyModels.Create();
        using var padded = TinyModels.Create(fields: ("pad_token_id", 4));
        padded.Parameters[0].Value.CopyFrom(plain.Parameters[0].Value);
        var (expected, actual) = (Gradients(plain, new ForwardOptions()), Gradients(padded, new ForwardOptions()));
        var (all, without) = (expected["model.embed_tokens.weight"], actual["model.embed_tokens.weight"]);

        Assert.Contains(all.Skip(4 * 72).Take(72), value => value != 0);
        Assert.All(without.Skip(4 * 72).Take(72), value => Assert.Equal(0, value));
        Assert.Equal(all.Skip(5 * 72), without.Skip(5 * 72));
        Assert.Equal(expected["model.norm.weight"], actual["model.norm.weight"]);
    }

    [Fact]
    public void Forward_TokenOutsideVocabulary_IsRefused()
    {
        using var model = TinyModels.Create();
        using var tape = new Tape(isRecording: false);

        var error = Assert.Throws<UserErrorException>(() => model.Forward(tape, [131], SequenceLayout.Documents([1])));

        Assert.Contains("Token id 131 is outside the model's vocabulary of 131", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("attention_dropout", "llama")]
    [InlineData("resid_pdrop", "gpt2")]
    [InlineData("embd_pdrop", "gpt2")]
    [InlineData("attn_pdrop", "gpt2")]
    public void Forward_Dropout_DropsInTrainingByTheTapesSeedAndNowhereElse(string key, string modelType)
    {
        using var scope = new TensorScope();
        using var model = Dropping(key, modelType);
        var (first, again, other) = (Hidden(recording: true, seed: 1), Hidden(recording: true, seed: 1), Hidden(recording: true, seed: 2));
        var (evaluated, disabled) = (Hidden(recording: false, seed: 1), Hidden(recording: true, seed: 1, disable: true));

        Assert.Equal(first, again);
        Assert.NotEqual(first, other);
        Assert.NotEqual(first, evaluated);
        Assert.Equal(evaluated, disabled);

        float[] Hidden(bool recording, ulong seed, bool disable = false)
        {
            using var tape = new Tape(recording, seed);
            return model.Forward(tape, [1, 2, 3, 4, 5], SequenceLayout.Documents([3, 2]),
                new ForwardOptions { DisableDropout = disable }).Value.ToArray<float>();
        }
    }

    [Fact]
    public void Backward_RecomputedWithDropout_DropsTheSameElements()
    {
        using var model = Dropping("attn_pdrop", "gpt2");
        var (kept, recomputed) = (Gradients(model, ForwardOptions.Default), Gradients(model, new ForwardOptions { Recompute = true }));

        foreach (var (name, gradient) in kept)
            Assert.True(gradient.Zip(recomputed[name]).All(pair => Math.Abs(pair.First - pair.Second) < 1e-5), name);
    }

    private static CausalLanguageModel Dropping(string key, string modelType)
    {
        if (modelType == "llama")
            return TinyModels.Create(fields: (key, 0.4));
        var config = new System.Text.Json.Nodes.JsonObject
        {
            ["model_type"] = modelType, ["n_embd"] = 24, ["n_head"] = 3, ["n_layer"] = 2, ["n_positions"] = 16, ["vocab_size"] = 31,
            ["initializer_range"] = 0.3, ["attn_pdrop"] = 0.0, ["resid_pdrop"] = 0.0, ["embd_pdrop"] = 0.0,
        };
        config[key] = 0.4;
        return CausalLanguageModel.Create(config, seed: 1, DType.Float32);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("""{"rope_type": "dynamic", "factor": 2.0}""")]
    public void Forward_SharedPrefix_EqualsSeparateRows(string scaling)
    {
        using var scope = new TensorScope();
        using var model = TinyModels.Create(
            fields: [("rope_scaling", System.Text.Json.Nodes.JsonNode.Parse(scaling)), ("max_position_embeddings", 6)]);
        int[] prompt = [9, 8, 7, 6, 5], first = [20, 21, 22], second = [30, 31, 32];
        using var tape = new Tape(isRecording: false);

        var shared = model.Forward(tape, [.. prompt, .. first, .. second], new SequenceLayout(
            new Segment(0, 5), new Segment(5, 3, FirstPosition: 5, Prefix: 0), new Segment(8, 3, FirstPosition: 5, Prefix: 0)));
        var separate = model.Forward(tape, [.. prompt, .. first, .. prompt, .. second], SequenceLayout.Documents([8, 8]));

        Assert.InRange(shared.Value.Narrow(0, 5, 3).MaxAbsDifference(separate.Value.Narrow(0, 5, 3)), 0, 1e-4);
        Assert.InRange(shared.Value.Narrow(0, 8, 3).MaxAbsDifference(separate.Value.Narrow(0, 13, 3)), 0, 1e-4);
    }

    [Fact]
    public void TrainingStep_CountsProductsOfWeightsAndVisiblePairs()
    {
        using var tied = TinyModels.Create(fields: ("tie_word_embeddings", true));
        var layout = new SequenceLayout(new Segment(0, 4), new Segment(4, 3, FirstPosition: 4, Prefix: 0));

        // 1 + 2 + 3 + 4 pairs in the prefix, then 5 + 6 + 7.
        Assert.Equal(28, FlopCount.VisiblePairs(layout));
        Assert.Equal(6.0 * tied.ParameterCount * 7 + 12.0 * 3 * 72 * 28, FlopCount.TrainingStep(tied.Config, tied.ParameterCount, layout));
        using var untied = TinyModels.Create();
        Assert.Equal(6.0 * (untied.ParameterCount - 131 * 72) * 7 + 12.0 * 3 * 72 * 28,
            FlopCount.TrainingStep(untied.Config, untied.ParameterCount, layout));
    }

    private static Dictionary<string, double[]> Gradients(CausalLanguageModel model, ForwardOptions options)
    {
        using var scope = new TensorScope();
        using var tape = new Tape(seed: 11);
        int[] ids = [3, 4, 5, 6, 4, 7, 8];
        var hidden = model.Forward(tape, ids, SequenceLayout.Documents([4, 3]), options);
        var (loss, _) = model.Head.Loss(tape, hidden.Hidden, [0, 1, 2, 4, 5], [4, 5, 6, 7, 8], [-0.2f]);
        tape.Backward(loss);
        var gradients = model.Parameters.ToDictionary(p => p.Name, p => p.Grad!.ToArray<double>());
        foreach (var parameter in model.Parameters)
            parameter.ZeroGrad();
        return gradients;
    }
}
