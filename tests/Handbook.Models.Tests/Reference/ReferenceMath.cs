using Handbook.Torch;

namespace Handbook.Models.Tests.Reference;

/// <summary>
/// What transformers' modelling code is made of, in libtorch's operators and float64, one sequence and every pair of tokens at a time.
/// Nothing here calls the blocks under test.
/// </summary>
internal static class ReferenceMath
{
    internal static Tensor Cat(int dim, params Tensor[] parts) => Operator.Call("aten::cat"u8, default, parts, (long)dim);

    internal static Tensor Softmax(Tensor x) => Operator.Call("aten::softmax"u8, "int"u8, x, -1L, Value.None);

    internal static Tensor Sigmoid(Tensor x) => Operator.Call("aten::sigmoid"u8, default, x);

    internal static Tensor Silu(Tensor x) => x.Multiply(Sigmoid(x));

    internal static Tensor GeluTanh(Tensor x)
    {
        var inner = x.Add(x.Multiply(x).Multiply(x).Multiply(0.044715)).Multiply(Math.Sqrt(2 / Math.PI));
        return x.Multiply(0.5).Multiply(Operator.Call("aten::tanh"u8, default, inner).Add(1));
    }

    /// <summary>The largest so many of each row, zero elsewhere.</summary>
    internal static Tensor Chosen(Tensor rows, long count)
    {
        var (best, _) = Operator.Call2("aten::topk"u8, default, rows, count, -1L, true, true);
        var isLess = Operator.Call("aten::lt"u8, "Tensor"u8, rows, best.Narrow(1, count - 1, 1));
        return Operator.Call("aten::where"u8, "self"u8, isLess, Tensor.Zeros([], DType.Float64), rows);
    }

    internal static Tensor Dense(Tensor x, Tensor weight, Tensor? bias = null)
    {
        var y = x.MatMul(weight.Transpose(0, 1));
        return bias is null ? y : y.Add(bias);
    }

    internal static Tensor RmsNorm(Tensor x, Tensor factor, double epsilon)
    {
        var mean = x.Multiply(x).Sum(-1, keepDim: true).Multiply(1.0 / x.Size(-1));
        return x.Multiply(Operator.Call("aten::rsqrt"u8, default, mean.Add(epsilon))).Multiply(factor);
    }

    internal static Tensor LayerNorm(Tensor x, Tensor factor, double epsilon)
    {
        var centred = x.Subtract(x.Sum(-1, keepDim: true).Multiply(1.0 / x.Size(-1)));
        return RmsNorm(centred, factor, epsilon);
    }

    /// <summary>Angles [tokens, frequencies] at positions from 0.</summary>
    internal static Tensor Angles(int tokens, double[] frequencies) => Tensor.From<double>(
        [.. Enumerable.Range(0, tokens).SelectMany(token => frequencies.Select(frequency => token * frequency))],
        [tokens, frequencies.Length]);

    internal static double[] Frequencies(double theta, int width, double factor = 1) =>
        [.. Enumerable.Range(0, width / 2).Select(i => Math.Pow(theta, -2.0 * i / width) / factor)];

    /// <summary>x [tokens, heads, width] with element i turned with i + width / 2.</summary>
    internal static Tensor TurnHalves(Tensor x, Tensor angles, double scale = 1)
    {
        var half = x.Size(2) / 2;
        var (cos, sin) = Tables(Cat(1, angles, angles), scale);
        return x.Multiply(cos).Add(Cat(2, x.Narrow(2, half, half).Multiply(-1), x.Narrow(2, 0, half)).Multiply(sin));
    }

    /// <summary>x [tokens, heads, width] with element 2i turned with 2i + 1.</summary>
    internal static Tensor TurnNeighbours(Tensor x, Tensor angles)
    {
        var (cos, sin) = Tables(Operator.Call("aten::stack"u8, default, new[] { angles, angles }, -1L).Reshape(angles.Size(0), -1), 1);
        var pairs = x.Reshape(x.Size(0), x.Size(1), -1, 2);
        var turned = Cat(3, pairs.Narrow(3, 1, 1).Multiply(-1), pairs.Narrow(3, 0, 1)).Reshape(x.Shape);
        return x.Multiply(cos).Add(turned.Multiply(sin));
    }

    /// <summary>Heads [tokens, heads, width] attended one by one; keys and values may have fewer heads.</summary>
    internal static Tensor Attend(Tensor query, Tensor key, Tensor value, double scale, int? window, Tensor? sinks = null)
    {
        var (tokens, heads) = (query.Size(0), query.Size(1));
        var group = heads / key.Size(1);
        var forbidden = Forbidden((int)tokens, window);
        var lowest = Tensor.Full([], double.NegativeInfinity, DType.Float64);
        var outputs = Enumerable.Range(0, (int)heads).Select(head =>
        {
            var scores = query.Select(1, head).MatMul(key.Select(1, head / group).Transpose(0, 1)).Multiply(scale);
            scores = Operator.Call("aten::where"u8, "self"u8, forbidden, lowest, scores);
            if (sinks is not null)
                scores = Cat(1, scores, sinks.Narrow(0, head, 1).View(1, 1).Add(Tensor.Zeros([tokens, 1], DType.Float64)));
            return Softmax(scores).Narrow(1, 0, tokens).MatMul(value.Select(1, head / group));
        });
        return Operator.Call("aten::stack"u8, default, outputs.ToArray(), 1L).Reshape(tokens, -1);
    }

    private static Tensor Forbidden(int tokens, int? window) => Tensor.From<bool>(
        [.. Enumerable.Range(0, tokens * tokens).Select(i => i % tokens > i / tokens || i / tokens - i % tokens >= (window ?? tokens))],
        [tokens, tokens]);

    private static (Tensor Cos, Tensor Sin) Tables(Tensor angles, double scale)
    {
        var heads = angles.View(angles.Size(0), 1, angles.Size(1));
        return (Operator.Call("aten::cos"u8, default, heads).Multiply(scale), Operator.Call("aten::sin"u8, default, heads).Multiply(scale));
    }
}
