using System.Text.Json.Nodes;
using Handbook.Torch;
using static Handbook.Models.Tests.Reference.ReferenceMath;

namespace Handbook.Models.Tests.Reference;

/// <summary>From transformers' <c>models/cohere2/modeling_cohere2.py</c>.</summary>
internal sealed class Cohere2Reference(JsonObject config, IReadOnlyDictionary<string, Tensor> weights) : ReferenceModel(config, weights)
{
    protected override Tensor Layer(Tensor x, int layer)
    {
        var prefix = $"model.layers.{layer}.";
        var normed = LayerNorm(x, Weight(prefix + "input_layernorm"), Number("layer_norm_eps", 1e-5));
        return x.Add(Attention(normed, layer, prefix + "self_attn.")).Add(GatedBlock(normed, prefix + "mlp.", Silu));
    }

    protected override Tensor FinalNorm(Tensor x) => LayerNorm(x, Weight("model.norm"), Number("layer_norm_eps", 1e-5));

    protected override Tensor Head(Tensor logits) => logits.Multiply(Number("logit_scale", 0.0625));

    private Tensor Attention(Tensor x, int layer, string prefix)
    {
        var groups = Integer("num_key_value_heads");
        var query = Heads3(Dense(x, Weight(prefix + "q_proj"), Optional(prefix + "q_proj.bias")), Heads);
        var key = Heads3(Dense(x, Weight(prefix + "k_proj"), Optional(prefix + "k_proj.bias")), groups);
        var value = Heads3(Dense(x, Weight(prefix + "v_proj"), Optional(prefix + "v_proj.bias")), groups);
        var slides = Field("layer_types") is JsonArray kinds
            ? kinds[layer]!.GetValue<string>() == "sliding_attention"
            : (layer + 1) % (int)Number("sliding_window_pattern", 4) != 0;
        if (slides)
        {
            var theta = Field("rope_parameters")?["rope_theta"]?.GetValue<double>() ?? Number("rope_theta", 10000);
            var angles = Angles((int)x.Size(0), Frequencies(theta, Width / Heads));
            (query, key) = (TurnNeighbours(query, angles), TurnNeighbours(key, angles));
        }
        var attended = Attend(query, key, value, 1 / Math.Sqrt(Width / Heads), slides ? Integer("sliding_window") : null);
        return Dense(attended, Weight(prefix + "o_proj"), Optional(prefix + "o_proj.bias"));
    }
}
