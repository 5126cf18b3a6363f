using System.Text.Json.Nodes;
using Handbook.Autograd;
using Handbook.Autograd.Tests;
using Handbook.Torch;

namespace Handbook.Models.Tests.Reference;

/// <summary>Architectures without stored vectors, held to a second implementation in float64 and to libtorch's gradients of it.</summary>
public sealed class ReferenceTests
{
    private static readonly int[][] Documents = [[5, 9, 30, 7, 22, 41, 3, 8, 19, 33, 2], [11, 4, 4, 27, 50, 6, 1]];

    public static TheoryData<string, string> Cases() => new()
    {
        { "cohere2", """{"sliding_window":3,"num_hidden_layers":4,"rope_theta":500.0,"layer_norm_eps":1e-3}""" },
        {
            "cohere2",
            """
            {"sliding_window":4,"layer_types":["full_attention","sliding_attention"],"attention_bias":true,"logit_scale":0.7,
             "tie_word_embeddings":false,"rope_parameters":{"rope_type":"default","rope_theta":300.0}}
            """
        },
        { "gemma3_text", """{"head_dim":12,"sliding_window":3,"sliding_window_pattern":3,"num_hidden_layers":4,"rope_theta":900.0}""" },
        {
            "gemma3_text",
            """
            {"head_dim":16,"sliding_window":4,"layer_types":["full_attention","sliding_attention"],"query_pre_attn_scalar":40,
             "final_logit_softcapping":3.0,"tie_word_embeddings":false,"rope_scaling":{"rope_type":"linear","factor":8.0},
             "rope_local_base_freq":50.0}
            """
        },
        {
            "gemma3_text",
            """
            {"head_dim":16,"sliding_window":4,"layer_types":["sliding_attention","full_attention"],
             "rope_parameters":{"full_attention":{"rope_type":"linear","factor":4.0,"rope_theta":2000.0},
             "sliding_attention":{"rope_type":"default","rope_theta":60.0}}}
            """
        },
        { "qwen3_moe", """{"head_dim":16,"num_experts":4,"num_experts_per_tok":2,"moe_intermediate_size":20,"norm_topk_prob":true}""" },
        {
            "qwen3_moe",
            """
            {"head_dim":12,"num_experts":5,"num_experts_per_tok":3,"moe_intermediate_size":12,"num_hidden_layers":5,
             "decoder_sparse_step":2,"mlp_only_layers":[3],"use_sliding_window":true,"sliding_window":4,"attention_bias":true}
            """
        },
        {
            "gpt_oss",
            """
            {"head_dim":16,"num_local_experts":4,"num_experts_per_tok":2,"sliding_window":4,"num_hidden_layers":3,"swiglu_limit":0.2,
             "max_position_embeddings":131072}
            """
        },
        {
            "gpt_oss",
            """
            {"head_dim":12,"num_local_experts":3,"num_experts_per_tok":1,"sliding_window":3,"attention_bias":false,"rope_theta":5000.0,
             "rope_scaling":{"rope_type":"yarn","factor":4.0,"truncate":false,"original_max_position_embeddings":4096}}
            """
        },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Forward_PackedInFloat64_GivesTheReferencesLogits(string modelType, string changes)
    {
        using var scope = new TensorScope();
        using var model = Model(modelType, changes, DType.Float64);
        var reference = ReferenceModel.Of(Config(modelType, changes), Stored(model));

        var logits = Logits(model);

        var expected = ReferenceMath.Cat(0, [.. Documents.Select(reference.Logits)]);
        Assert.InRange(logits.MaxAbsDifference(expected), 0, 1e-5 * Largest(expected));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Forward_PackedInFloat32_GivesTheReferencesLogits(string modelType, string changes)
    {
        using var scope = new TensorScope();
        using var model = Model(modelType, changes, DType.Float32);
        var reference = ReferenceModel.Of(Config(modelType, changes),
            Stored(model).ToDictionary(row => row.Key, row => row.Value.To(DType.Float64)));

        var logits = Logits(model).To(DType.Float64);

        var expected = ReferenceMath.Cat(0, [.. Documents.Select(reference.Logits)]);
        Assert.InRange(logits.MaxAbsDifference(expected), 0, 3e-5 * Largest(expected));
    }

    /// <summary>
    /// Of the weights that bfloat16 holds. A token whose router is nearly undecided may go to another expert than in float64, so a few rows
    /// may be far.
    /// </summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void Forward_PackedInBfloat16_IsNearTheReferencesLogits(string modelType, string changes)
    {
        using var scope = new TensorScope();
        using var model = Model(modelType, changes, DType.BFloat16);
        var reference = ReferenceModel.Of(Config(modelType, changes),
            Stored(model).ToDictionary(row => row.Key, row => row.Value.To(DType.Float64)));

        var logits = Logits(model).To(DType.Float64);

        var expected = ReferenceMath.Cat(0, [.. Documents.Select(reference.Logits)]);
        var distances = Enumerable.Range(0, (int)expected.Size(0))
            .Select(row => Golden.GoldenModels.RelativeDistance(logits.Select(0, row), expected.Select(0, row))).Order().ToArray();
        Assert.InRange(distances[distances.Length / 2], 0, 0.02);
        Assert.InRange(distances[distances.Length * 4 / 5], 0, 0.04);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Backward_PackedInFloat64_GivesLibtorchsGradientsOfTheReference(string modelType, string changes)
    {
        using var scope = new TensorScope();
        using var model = Model(modelType, changes, DType.Float64);
        var stored = Stored(model);
        string[] names = [.. stored.Keys];
        var (rows, labels) = Predicted();
        float[] coefficients = [.. rows.Select((_, i) => 0.3f + i % 4)];
        var expected = LibtorchAutograd.Gradients(
            leaves => [Logps(ReferenceModel.Of(Config(modelType, changes), names.Zip(leaves).ToDictionary()), rows, labels)],
            [.. stored.Values], [Tensor.From(coefficients).To(DType.Float64)]);

        foreach (var recompute in new[] { false, true })
        {
            using var tape = new Tape();
            var output = model.Forward(tape, [.. Documents.SelectMany(ids => ids)], Layout(), new ForwardOptions { Recompute = recompute });
            var (loss, _) = model.Head.Loss(tape, output.Hidden, rows, labels, coefficients);
            tape.Backward(loss);

            var actual = model.Parameters.SelectMany(parameter => model.Map.Stored(parameter, parameter.Grad!))
                .ToDictionary(row => row.Name, row => row.Value);
            foreach (var (name, gradient) in names.Zip(expected))
                Assert.True(actual[name].MaxAbsDifference(gradient!) <= 1e-4 * (Largest(gradient!) + 1e-3), name);
            foreach (var parameter in model.Parameters)
                parameter.ZeroGrad();
        }
    }

    /// <summary>A model whose norms and biases are no ones and zeros.</summary>
    private static CausalLanguageModel Model(string modelType, string changes, DType dtype)
    {
        var model = CausalLanguageModel.Create(Config(modelType, changes), seed: 4, dtype);
        var random = new Random(5);
        foreach (var parameter in model.Parameters)
        {
            var noise = Enumerable.Range(0, (int)parameter.Value.ElementCount).Select(_ => 0.3 * (random.NextDouble() - 0.5)).ToArray();
            parameter.Value.AddInPlace(Tensor.From<double>(noise, parameter.Value.Shape).To(dtype));
        }
        return model;
    }

    private static JsonObject Config(string modelType, string changes)
    {
        var config = TinyModels.Config(
            ("architectures", null), ("model_type", modelType), ("vocab_size", 59), ("hidden_size", 48), ("intermediate_size", 40),
            ("num_hidden_layers", 2), ("num_attention_heads", 4), ("num_key_value_heads", 2), ("tie_word_embeddings", true),
            ("rms_norm_eps", null), ("pad_token_id", 0));
        foreach (var (key, value) in JsonNode.Parse(changes)!.AsObject())
            config[key] = value?.DeepClone();
        return config;
    }

    private static Dictionary<string, Tensor> Stored(CausalLanguageModel model) => model.Parameters
        .SelectMany(parameter => model.Map.Stored(parameter, parameter.Value)).ToDictionary(row => row.Name, row => row.Value.Contiguous());

    private static Tensor Logits(CausalLanguageModel model)
    {
        using var tape = new Tape(isRecording: false);
        var hidden = model.Forward(tape, [.. Documents.SelectMany(ids => ids)], Layout()).Hidden;
        return model.Head.Logits(hidden.Value);
    }

    private static SequenceLayout Layout() => SequenceLayout.Documents([.. Documents.Select(ids => ids.Length)]);

    /// <summary>Every token that has a next one in its document, as rows of the packed row.</summary>
    private static (int[] Rows, int[] Labels) Predicted()
    {
        var starts = new[] { 0, Documents[0].Length };
        return ([.. Documents.SelectMany((ids, i) => Enumerable.Range(starts[i], ids.Length - 1))],
            [.. Documents.SelectMany(ids => ids.Skip(1))]);
    }

    private static Tensor Logps(ReferenceModel reference, int[] rows, int[] labels)
    {
        var logits = ReferenceMath.Cat(0, [.. Documents.Select(reference.Logits)]);
        var picked = logits.IndexSelect(0, Tensor.From(Array.ConvertAll(rows, row => (long)row)));
        var all = Operator.Call("aten::log_softmax"u8, "int"u8, picked, 1L, Value.None);
        var index = Tensor.From(Array.ConvertAll(labels, label => (long)label)).View(-1, 1);
        return Operator.Call("aten::gather"u8, default, all, 1L, index, false).View(-1);
    }

    private static double Largest(Tensor values) => values.ToArray<double>().Max(Math.Abs);
}
