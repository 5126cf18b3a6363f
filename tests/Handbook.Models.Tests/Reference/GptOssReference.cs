using System.Text.Json.Nodes;
using Handbook.Torch;
using static Handbook.Models.Tests.Reference.ReferenceMath;

namespace Handbook.Models.Tests.Reference;

/// <summary>From transformers' <c>models/gpt_oss/modeling_gpt_oss.py</c>: every token through every expert.</summary>
internal sealed class GptOssReference(JsonObject config, IReadOnlyDictionary<string, Tensor> weights) : ReferenceModel(config, weights)
{
    protected override Tensor Layer(Tensor x, int layer)
    {
        var prefix = $"model.layers.{layer}.";
        x = x.Add(Attention(Norm(x, prefix + "input_layernorm"), layer, prefix + "self_attn."));
        return x.Add(Experts(Norm(x, prefix + "post_attention_layernorm"), prefix + "mlp."));
    }

    protected override Tensor FinalNorm(Tensor x) => Norm(x, "model.norm");

    private Tensor Norm(Tensor x, string name) => RmsNorm(x, Weight(name), Number("rms_norm_eps", 1e-5));

    /// <summary>Here the choice is made first, and the softmax is over what was chosen.</summary>
    private Tensor Experts(Tensor x, string prefix)
    {
        var logits = Dense(x, Weight(prefix + "router"), Optional(prefix + "router.bias"));
        var (best, _) = Operator.Call2("aten::topk"u8, default, logits, (long)Integer("num_experts_per_tok"), -1L, true, true);
        var isLess = Operator.Call("aten::lt"u8, "Tensor"u8, logits, best.Narrow(1, best.Size(1) - 1, 1));
        var shares = Softmax(
            Operator.Call("aten::where"u8, "self"u8, isLess, Tensor.Full([], double.NegativeInfinity, DType.Float64), logits));
        var sum = Tensor.Zeros(x.Shape, DType.Float64);
        for (var expert = 0; expert < Integer("num_local_experts"); expert++)
        {
            var both = x.MatMul(Of("gate_up_proj", expert)).Add(Of("gate_up_proj_bias", expert)).Reshape(x.Size(0), -1, 2);
            var made = Gated(both.Select(2, 0), both.Select(2, 1)).MatMul(Of("down_proj", expert)).Add(Of("down_proj_bias", expert));
            sum = sum.Add(made.Multiply(shares.Narrow(1, expert, 1)));
        }
        return sum;

        Tensor Of(string name, int expert) => Optional($"{prefix}experts.{name}")!.Select(0, expert);
    }

    private Tensor Gated(Tensor gate, Tensor up)
    {
        var limit = Tensor.Full([], Number("swiglu_limit", 7), DType.Float64);
        gate = Operator.Call("aten::minimum"u8, default, gate, limit);
        up = Operator.Call("aten::maximum"u8, default, Operator.Call("aten::minimum"u8, default, up, limit), limit.Multiply(-1));
        return up.Add(1).Multiply(gate.Multiply(Sigmoid(gate.Multiply(1.702))));
    }

    private Tensor Attention(Tensor x, int layer, string prefix)
    {
        var groups = Integer("num_key_value_heads");
        var query = Heads3(Dense(x, Weight(prefix + "q_proj"), Optional(prefix + "q_proj.bias")), Heads);
        var key = Heads3(Dense(x, Weight(prefix + "k_proj"), Optional(prefix + "k_proj.bias")), groups);
        var value = Heads3(Dense(x, Weight(prefix + "v_proj"), Optional(prefix + "v_proj.bias")), groups);
        var width = (int)query.Size(2);
        var factor = Field("rope_scaling")?["factor"]?.GetValue<double>() ?? 32;
        var angles = Angles((int)x.Size(0), Stretched(width, factor));
        var scale = 0.1 * Math.Log(factor) + 1;
        var attended = Attend(TurnHalves(query, angles, scale), TurnHalves(key, angles, scale), value, 1 / Math.Sqrt(width),
            layer % 2 == 0 ? Integer("sliding_window") : null, Optional(prefix + "sinks"));
        return Dense(attended, Weight(prefix + "o_proj"), Optional(prefix + "o_proj.bias"));
    }

    /// <summary>YaRN without whole ends of the ramp (<c>_compute_yarn_parameters</c> with <c>truncate: false</c>).</summary>
    private double[] Stretched(int width, double factor)
    {
        var theta = Number("rope_theta", 150000);
        double Dimension(double turns) => width * Math.Log(4096 / (turns * 2 * Math.PI)) / (2 * Math.Log(theta));
        var (low, high) = (Math.Max(Dimension(32), 0), Math.Min(Dimension(1), width - 1));
        return [.. Frequencies(theta, width).Select((frequency, i) =>
        {
            var stretched = Math.Clamp((i - low) / (high - low), 0, 1);
            return frequency / factor * stretched + frequency * (1 - stretched);
        })];
    }
}
