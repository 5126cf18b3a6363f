using System.Text.Json.Nodes;
using Handbook.Torch;
using static Handbook.Models.Tests.Reference.ReferenceMath;

namespace Handbook.Models.Tests.Reference;

/// <summary>From transformers' <c>models/gemma3/modeling_gemma3.py</c>, the text model.</summary>
internal sealed class Gemma3Reference(JsonObject config, IReadOnlyDictionary<string, Tensor> weights) : ReferenceModel(config, weights)
{
    protected override Tensor Embed(Tensor vectors) => vectors.Multiply(Math.Sqrt(Width));

    protected override Tensor Layer(Tensor x, int layer)
    {
        var prefix = $"model.layers.{layer}.";
        var attended = Attention(Norm(x, prefix + "input_layernorm"), layer, prefix + "self_attn.");
        x = x.Add(Norm(attended, prefix + "post_attention_layernorm"));
        var made = GatedBlock(Norm(x, prefix + "pre_feedforward_layernorm"), prefix + "mlp.", GeluTanh);
        return x.Add(Norm(made, prefix + "post_feedforward_layernorm"));
    }

    protected override Tensor FinalNorm(Tensor x) => Norm(x, "model.norm");

    protected override Tensor Head(Tensor logits) => Field("final_logit_softcapping") is null ? logits
        : Operator.Call("aten::tanh"u8, default, logits.Multiply(1 / Number("final_logit_softcapping", 1)))
            .Multiply(Number("final_logit_softcapping", 1));

    private Tensor Norm(Tensor x, string name) => RmsNorm(x, Weight(name).Add(1), Number("rms_norm_eps", 1e-6));

    private Tensor Attention(Tensor x, int layer, string prefix)
    {
        var groups = Integer("num_key_value_heads");
        var query = Norm(Heads3(Dense(x, Weight(prefix + "q_proj")), Heads), prefix + "q_norm");
        var key = Norm(Heads3(Dense(x, Weight(prefix + "k_proj")), groups), prefix + "k_norm");
        var value = Heads3(Dense(x, Weight(prefix + "v_proj")), groups);
        var slides = Field("layer_types") is JsonArray kinds
            ? kinds[layer]!.GetValue<string>() == "sliding_attention"
            : (layer + 1) % (int)Number("sliding_window_pattern", 6) != 0;
        var angles = Angles((int)x.Size(0), slides ? Local() : Global());
        var attended = Attend(TurnHalves(query, angles), TurnHalves(key, angles), value,
            1 / Math.Sqrt(Number("query_pre_attn_scalar", 256)),
            slides ? Integer("sliding_window") : null);
        return Dense(attended, Weight(prefix + "o_proj"));
    }

    private double[] Local() => Frequencies(
        Field("rope_parameters")?["sliding_attention"]!["rope_theta"]!.GetValue<double>() ?? Number("rope_local_base_freq", 10000),
        Integer("head_dim"));

    private double[] Global()
    {
        var kind = Field("rope_parameters")?["full_attention"];
        var scaling = kind ?? Field("rope_scaling");
        return Frequencies(kind?["rope_theta"]!.GetValue<double>() ?? Number("rope_theta", 1e6), Integer("head_dim"),
            scaling?["factor"]?.GetValue<double>() ?? 1);
    }
}
