using System.Text.Json.Nodes;
using Handbook.Torch;
using static Handbook.Models.Tests.Reference.ReferenceMath;

namespace Handbook.Models.Tests.Reference;

/// <summary>From transformers' <c>models/qwen3_moe/modeling_qwen3_moe.py</c>: every token through every expert.</summary>
internal sealed class Qwen3MoeReference(JsonObject config, IReadOnlyDictionary<string, Tensor> weights) : ReferenceModel(config, weights)
{
    protected override Tensor Layer(Tensor x, int layer)
    {
        var prefix = $"model.layers.{layer}.";
        x = x.Add(Attention(Norm(x, prefix + "input_layernorm"), prefix + "self_attn."));
        var normed = Norm(x, prefix + "post_attention_layernorm");
        return x.Add(IsRouted(layer) ? Experts(normed, prefix + "mlp.") : GatedBlock(normed, prefix + "mlp.", Silu));
    }

    protected override Tensor FinalNorm(Tensor x) => Norm(x, "model.norm");

    private Tensor Norm(Tensor x, string name) => RmsNorm(x, Weight(name), Number("rms_norm_eps", 1e-6));

    private bool IsRouted(int layer) => (layer + 1) % (int)Number("decoder_sparse_step", 1) == 0
        && Field("mlp_only_layers")?.AsArray().Any(number => number!.GetValue<int>() == layer) != true;

    private Tensor Experts(Tensor x, string prefix)
    {
        var odds = Softmax(Dense(x, Weight(prefix + "gate")));
        var shares = Chosen(odds, Integer("num_experts_per_tok"));
        if (Field("norm_topk_prob")?.GetValue<bool>() == true)
            shares = shares.Divide(shares.Sum(-1, keepDim: true));
        var sum = Tensor.Zeros(x.Shape, DType.Float64);
        for (var expert = 0; expert < Integer("num_experts"); expert++)
        {
            var made = Optional(prefix + "experts.gate_up_proj") is { } both
                ? Joined(x, both.Select(0, expert), Optional(prefix + "experts.down_proj")!.Select(0, expert))
                : GatedBlock(x, $"{prefix}experts.{expert}.", Silu);
            sum = sum.Add(made.Multiply(shares.Narrow(1, expert, 1)));
        }
        return sum;
    }

    private Tensor Joined(Tensor x, Tensor gateAndUp, Tensor down)
    {
        var both = Dense(x, gateAndUp);
        var width = Integer("moe_intermediate_size");
        return Dense(Silu(both.Narrow(1, 0, width)).Multiply(both.Narrow(1, width, width)), down);
    }

    private Tensor Attention(Tensor x, string prefix)
    {
        var groups = Integer("num_key_value_heads");
        var query = Norm(Heads3(Dense(x, Weight(prefix + "q_proj"), Optional(prefix + "q_proj.bias")), Heads), prefix + "q_norm");
        var key = Norm(Heads3(Dense(x, Weight(prefix + "k_proj"), Optional(prefix + "k_proj.bias")), groups), prefix + "k_norm");
        var value = Heads3(Dense(x, Weight(prefix + "v_proj"), Optional(prefix + "v_proj.bias")), groups);
        var width = (int)query.Size(2);
        var angles = Angles((int)x.Size(0), Frequencies(Number("rope_theta", 10000), width));
        int? window = Field("use_sliding_window")?.GetValue<bool>() == true ? Integer("sliding_window") : null;
        var attended = Attend(TurnHalves(query, angles), TurnHalves(key, angles), value, 1 / Math.Sqrt(width), window);
        return Dense(attended, Weight(prefix + "o_proj"), Optional(prefix + "o_proj.bias"));
    }
}
