using Handbook.Autograd.Kernels;
using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>
/// Root-mean-square normalisation (Zhang and Sennrich 2019, arXiv:1910.07467): y = x / sqrt(mean(x²) + eps) * weight over the
/// last dimension. Statistics are float32 whatever the type; the normalised value is rounded to the input's type before the
/// weight is applied, as in transformers' LlamaRMSNorm. With an offset (Gemma) the factor is 1 + weight, applied in float32, and the
/// result is rounded once.
/// </summary>
public static class RmsNorm
{
    /// <summary>Normalises rows.</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="input">[rows, width].</param>
    /// <param name="weight">[width].</param>
    /// <param name="epsilon">Added to the mean square.</param>
    /// <param name="isOffset">True when the factor is 1 + weight.</param>
    /// <returns>[rows, width] in the input's type.</returns>
    public static Variable Apply(Tape tape, Variable input, Weight weight, double epsilon, bool isOffset = false)
    {
        using var scale = weight.Lease();
        var value = !isOffset && Fuses(input.Value, scale.Value)
            ? RmsNormKernel.Forward(input.Value, scale.Value, epsilon)
            : PlainForward(input.Value, scale.Value, epsilon, isOffset);
        return tape.Record(value, [input], [input.Value], (gradient, saved) =>
        {
            using var again = weight.Lease();
            var (inputGradient, weightGradient) = Backward(gradient, null, saved[0], again.Value, epsilon, isOffset);
            input.Accumulate(inputGradient);
            weight.Gradient?.Add(weightGradient);
        }, [weight]);
    }

    /// <summary>Adds what a block made to the residual stream, and normalises the sum for the next block.</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="stream">[rows, width].</param>
    /// <param name="delta">[rows, width]; the sum is rounded to the type before it is normalised.</param>
    /// <param name="weight">[width].</param>
    /// <param name="epsilon">Added to the mean square.</param>
    /// <param name="isOffset">True when the factor is 1 + weight.</param>
    /// <returns>The sum (the new stream) and its normalised form, [rows, width] each.</returns>
    public static (Variable Sum, Variable Normalized) ApplyWithResidual(
        Tape tape, Variable stream, Variable delta, Weight weight, double epsilon, bool isOffset = false)
    {
        using var scale = weight.Lease();
        var (sum, normalized) = !isOffset && Fuses(stream.Value, delta.Value, scale.Value)
            ? RmsNormKernel.ForwardWithResidual(stream.Value, delta.Value, scale.Value, epsilon)
            : PlainForwardWithResidual(stream.Value, delta.Value, scale.Value, epsilon, isOffset);
        var outputs = tape.Record([sum, normalized], [stream, delta], [sum], (gradients, saved) =>
        {
            var total = gradients[0];
            if (gradients[1] is { } gradient)
            {
                using var again = weight.Lease();
                (total, var weightGradient) = Backward(gradient, total, saved[0], again.Value, epsilon, isOffset);
                weight.Gradient?.Add(weightGradient);
            }
            stream.Accumulate(total!.Alias());
            delta.Accumulate(total.Alias());
        }, [weight]);
        return (outputs[0], outputs[1]);
    }

    /// <summary>The definition, in libtorch's operators: any device and type.</summary>
    internal static Tensor PlainForward(Tensor x, Tensor weight, double epsilon, bool isOffset = false)
    {
        using var scope = new TensorScope();
        var (normalized, _) = Normalize(x, epsilon);
        return scope.Keep(isOffset
            ? normalized.Multiply(Factor(weight, normalized.DType, isOffset)).To(x.DType)
            : normalized.To(x.DType).Multiply(weight));
    }

    /// <summary>The definition of the sum and its normalised form.</summary>
    internal static (Tensor Sum, Tensor Normalized) PlainForwardWithResidual(
        Tensor stream, Tensor delta, Tensor weight, double epsilon, bool isOffset = false)
    {
        var sum = stream.Add(delta);
        return (sum, PlainForward(sum, weight, epsilon, isOffset));
    }

    /// <summary>Gradients of the definition with respect to x (plus <paramref name="residual"/>,
    /// what reached x directly) and weight.</summary>
    internal static (Tensor X, Tensor Weight) PlainBackward(
        Tensor gradient, Tensor? residual, Tensor x, Tensor weight, double epsilon, bool isOffset = false)
    {
        using var scope = new TensorScope();
        var (normalized, scale) = Normalize(x, epsilon);
        var wide = gradient.To(normalized.DType);
        var weightGradient = wide.Multiply(normalized).Sum(0).To(weight.DType);
        var direction = wide.Multiply(Factor(weight, normalized.DType, isOffset));
        var projection = direction.Multiply(normalized).Sum(-1, keepDim: true).Multiply(1.0 / x.Size(-1));
        var inputGradient = direction.Subtract(normalized.Multiply(projection)).Multiply(scale);
        if (residual is not null)
            inputGradient = inputGradient.Add(residual.To(normalized.DType));
        return (scope.Keep(inputGradient.To(x.DType)), scope.Keep(weightGradient));
    }

    private static (Tensor X, Tensor Weight) Backward(
        Tensor gradient, Tensor? residual, Tensor x, Tensor weight, double epsilon, bool isOffset) =>
        !isOffset && Fuses(gradient, residual ?? gradient, x, weight)
            ? RmsNormKernel.Backward(gradient, residual, x, weight, epsilon)
            : PlainBackward(gradient, residual, x, weight, epsilon, isOffset);

    private static Tensor Factor(Tensor weight, DType wide, bool isOffset) => isOffset ? weight.To(wide).Add(1) : weight.To(wide);

    private static (Tensor Normalized, Tensor Scale) Normalize(Tensor x, double epsilon)
    {
        var wide = x.To(Shapes.SumType(x));
        var meanSquare = wide.Multiply(wide).Sum(-1, keepDim: true).Multiply(1.0 / x.Size(-1));
        var scale = Operator.Call("aten::rsqrt"u8, default, meanSquare.Add(epsilon));
        return (wide.Multiply(scale), scale);
    }

    private static bool Fuses(params ReadOnlySpan<Tensor> tensors)
    {
        foreach (var tensor in tensors)
        {
            if (tensor.DType != tensors[0].DType)
                return false;
        }
        return KernelTable.Runs(Operation.RmsNorm, tensors);
    }
}
