using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>
/// Layer normalisation (Ba, Kiros, Hinton 2016, arXiv:1607.06450): y = (x - mean) / sqrt(var + eps) * weight + bias over the
/// last dimension, computed in float32 and rounded once.
/// </summary>
public static class LayerNorm
{
    /// <summary>Normalises rows.</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="x">[rows, width].</param>
    /// <param name="weight">[width].</param>
    /// <param name="bias">[width] or null.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <returns>[rows, width] in the input's type.</returns>
    public static Variable Apply(Tape tape, Variable x, Weight weight, Weight? bias, double epsilon)
    {
        using var factor = weight.Lease();
        using var offset = bias?.Lease();
        return tape.Record(Forward(x.Value, factor.Value, offset?.Value, epsilon), [x], [x.Value], (gradient, saved) =>
        {
            var (normalized, scale) = Normalize(saved[0], epsilon);
            var wide = gradient.To(normalized.DType);
            weight.Gradient?.Add(wide.Multiply(normalized).Sum(0).To(weight.DType));
            bias?.Gradient?.Add(wide.Sum(0).To(bias.DType));
            if (!x.RequiresGrad)
                return;
            using var again = weight.Lease();
            x.Accumulate(InputGradient(wide.Multiply(again.Value.To(wide.DType)), normalized, scale).To(saved[0].DType));
        }, [weight, bias]);
    }

    private static Tensor Forward(Tensor x, Tensor weight, Tensor? bias, double epsilon)
    {
        using var scope = new TensorScope();
        var (normalized, _) = Normalize(x, epsilon);
        var y = normalized.Multiply(weight.To(normalized.DType));
        if (bias is not null)
            y = y.Add(bias.To(normalized.DType));
        return scope.Keep(y.To(x.DType));
    }

    // dx = (d - mean(d) - normalized * mean(d * normalized)) * scale, with d the gradient times the weight.
    private static Tensor InputGradient(Tensor direction, Tensor normalized, Tensor scale)
    {
        var inverseWidth = 1.0 / normalized.Size(-1);
        var mean = direction.Sum(-1, keepDim: true).Multiply(inverseWidth);
        var projection = direction.Multiply(normalized).Sum(-1, keepDim: true).Multiply(inverseWidth);
        return direction.Subtract(mean).Subtract(normalized.Multiply(projection)).Multiply(scale);
    }

    private static (Tensor Normalized, Tensor Scale) Normalize(Tensor x, double epsilon)
    {
        var wide = x.To(Shapes.SumType(x));
        var inverseWidth = 1.0 / x.Size(-1);
        var centered = wide.Subtract(wide.Sum(-1, keepDim: true).Multiply(inverseWidth));
        var variance = centered.Multiply(centered).Sum(-1, keepDim: true).Multiply(inverseWidth);
        var scale = Operator.Call("aten::rsqrt"u8, default, variance.Add(epsilon));
        return (centered.Multiply(scale), scale);
    }
}
