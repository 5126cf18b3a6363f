using System.Runtime.Intrinsics;
using Handbook.Autograd.Kernels;
using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>
/// Root-mean-square normalisation (Zhang and Sennrich 2019, arXiv:1910.07467): y = x / sqrt(mean(x²) + eps) * weight over the
/// last dimension. Statistics are float32 whatever the type; the normalised value is rounded to the input's type before the
/// weight is applied, as in transformers' LlamaRMSNorm.
/// </summary>
public static unsafe class RmsNorm
{
    /// <summary>Normalises rows.</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="input">[rows, width].</param>
    /// <param name="weight">[width].</param>
    /// <param name="epsilon">Added to the mean square.</param>
    /// <returns>[rows, width] in the input's type.</returns>
    public static Variable Apply(Tape tape, Variable input, Variable weight, double epsilon)
    {
        var fused = FusedKernels.Apply(input.Value, weight.Value) && input.Value.DType == weight.Value.DType;
        var value = fused ? Fused.Forward(input.Value, weight.Value, epsilon) : PlainForward(input.Value, weight.Value, epsilon);
        return tape.Record(value, [input, weight], [input.Value, weight.Value], (gradient, saved) =>
        {
            var (inputGradient, weightGradient) = fused && gradient.IsContiguous
                ? Fused.Backward(gradient, saved[0], saved[1], epsilon)
                : PlainBackward(gradient, saved[0], saved[1], epsilon);
            input.Accumulate(inputGradient);
            weight.Accumulate(weightGradient);
        });
    }

    /// <summary>Adds what a block made to the residual stream, and normalises the sum for the next block.</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="stream">[rows, width].</param>
    /// <param name="delta">[rows, width]; the sum is rounded to the type before it is normalised.</param>
    /// <param name="weight">[width].</param>
    /// <param name="epsilon">Added to the mean square.</param>
    /// <returns>The sum (the new stream) and its normalised form, [rows, width] each.</returns>
    public static (Variable Sum, Variable Normalized) ApplyWithResidual(
        Tape tape, Variable stream, Variable delta, Variable weight, double epsilon)
    {
        var sum = stream.Value.Add(delta.Value);
        var fused = FusedKernels.Apply(sum, weight.Value) && sum.DType == weight.Value.DType;
        var normalized = fused ? Fused.Forward(sum, weight.Value, epsilon) : PlainForward(sum, weight.Value, epsilon);
        var outputs = tape.Record([sum, normalized], [stream, delta, weight], [sum, weight.Value], (gradients, saved) =>
        {
            var total = gradients[0];
            if (gradients[1] is { } gradient)
            {
                var (inputGradient, weightGradient) = PlainBackward(gradient, saved[0], saved[1], epsilon);
                weight.Accumulate(weightGradient);
                total = total is null ? inputGradient : total.Add(inputGradient);
            }
            stream.Accumulate(total!.Alias());
            delta.Accumulate(total.Alias());
        });
        return (outputs[0], outputs[1]);
    }

    /// <summary>The definition, in libtorch's operators: any device and type.</summary>
    internal static Tensor PlainForward(Tensor x, Tensor weight, double epsilon)
    {
        using var scope = new TensorScope();
        var (normalized, _) = Normalize(x, epsilon);
        return scope.Keep(normalized.To(x.DType).Multiply(weight));
    }

    /// <summary>Gradients of the definition with respect to x and weight.</summary>
    internal static (Tensor X, Tensor Weight) PlainBackward(Tensor gradient, Tensor x, Tensor weight, double epsilon)
    {
        using var scope = new TensorScope();
        var (normalized, scale) = Normalize(x, epsilon);
        var wide = gradient.To(normalized.DType);
        var weightGradient = wide.Multiply(normalized).Sum(0).To(weight.DType);
        var direction = wide.Multiply(weight.To(normalized.DType));
        var projection = direction.Multiply(normalized).Sum(-1, keepDim: true).Multiply(1.0 / x.Size(-1));
        var inputGradient = direction.Subtract(normalized.Multiply(projection)).Multiply(scale).To(x.DType);
        return (scope.Keep(inputGradient), scope.Keep(weightGradient));
    }

    private static (Tensor Normalized, Tensor Scale) Normalize(Tensor x, double epsilon)
    {
        var wide = x.To(x.DType == DType.Float64 ? DType.Float64 : DType.Float32);
        var meanSquare = wide.Multiply(wide).Sum(-1, keepDim: true).Multiply(1.0 / x.Size(-1));
        var scale = Operator.Call("aten::rsqrt"u8, default, meanSquare.Add(epsilon));
        return (wide.Multiply(scale), scale);
    }

    /// <summary>SIMD for float32 and bfloat16 in host memory.</summary>
    private static class Fused
    {
        private const long RowGrain = 16;

        internal static Tensor Forward(Tensor x, Tensor weight, double epsilon)
        {
            var y = Tensor.Empty(x.Shape, x.DType);
            var width = x.Size(-1);
            var rows = x.ElementCount / width;
            if (x.DType == DType.Float32)
                Forward<float, SingleAccess>((float*)x.Pointer, (float*)weight.Pointer, (float*)y.Pointer, rows, width, (float)epsilon);
            else
                Forward<ushort, BFloat16Access>((ushort*)x.Pointer, (ushort*)weight.Pointer, (ushort*)y.Pointer, rows, width, (float)epsilon);
            return y;
        }

        internal static (Tensor X, Tensor Weight) Backward(Tensor gradient, Tensor x, Tensor weight, double epsilon)
        {
            var width = x.Size(-1);
            var rows = x.ElementCount / width;
            var inputGradient = Tensor.Empty(x.Shape, x.DType);
            using var partial = Tensor.Zeros([ParallelWork.ThreadCount, width], DType.Float32);
            if (x.DType == DType.Float32)
                Backward<float, SingleAccess>((float*)gradient.Pointer, (float*)x.Pointer, (float*)weight.Pointer, (float*)inputGradient.Pointer, (float*)partial.Pointer, rows, width, (float)epsilon);
            else
                Backward<ushort, BFloat16Access>((ushort*)gradient.Pointer, (ushort*)x.Pointer, (ushort*)weight.Pointer, (ushort*)inputGradient.Pointer, (float*)partial.Pointer, rows, width, (float)epsilon);
            using var sum = partial.Sum(0);
            return (inputGradient, sum.To(weight.DType));
        }

        private static float Scale<T, TAccess>(T* row, long width, float epsilon)
            where T : unmanaged
            where TAccess : struct, IFloatAccess<T>
        {
            var squares = Vector512<float>.Zero;
            long i = 0;
            for (; i + 16 <= width; i += 16)
            {
                var v = TAccess.Load(row + i);
                squares = Vector512.FusedMultiplyAdd(v, v, squares);
            }
            var sum = Vector512.Sum(squares);
            for (; i < width; i++)
            {
                var v = TAccess.Read(row + i);
                sum += v * v;
            }
            return 1f / MathF.Sqrt(sum / width + epsilon);
        }

        private static void Forward<T, TAccess>(T* x, T* weight, T* y, long rows, long width, float epsilon)
            where T : unmanaged
            where TAccess : struct, IFloatAccess<T>
        {
            ParallelWork.For(rows, RowGrain, (begin, end) =>
            {
                for (var row = begin; row < end; row++)
                {
                    var source = x + row * width;
                    var target = y + row * width;
                    var scale = Scale<T, TAccess>(source, width, epsilon);
                    long i = 0;
                    for (; i + 16 <= width; i += 16)
                    {
                        // Through the target: the normalised value is rounded before the weight, as the reference does.
                        TAccess.Store(TAccess.Load(source + i) * scale, target + i);
                        TAccess.Store(TAccess.Load(target + i) * TAccess.Load(weight + i), target + i);
                    }
                    for (; i < width; i++)
                    {
                        TAccess.Write(TAccess.Read(source + i) * scale, target + i);
                        TAccess.Write(TAccess.Read(target + i) * TAccess.Read(weight + i), target + i);
                    }
                }
            });
        }

        private static void Backward<T, TAccess>(T* gradient, T* x, T* weight, T* inputGradient, float* partial, long rows, long width, float epsilon)
            where T : unmanaged
            where TAccess : struct, IFloatAccess<T>
        {
            // One strip of rows a thread, so that the sum over rows has the same order in every run.
            var strips = ParallelWork.ThreadCount;
            ParallelWork.For(strips, 1, (begin, end) =>
            {
                for (var strip = begin; strip < end; strip++)
                {
                    for (var row = rows * strip / strips; row < rows * (strip + 1) / strips; row++)
                        BackwardRow<T, TAccess>(gradient + row * width, x + row * width, weight, inputGradient + row * width, partial + strip * width, width, epsilon);
                }
            });
        }

        private static void BackwardRow<T, TAccess>(T* gradient, T* x, T* weight, T* inputGradient, float* weightGradient, long width, float epsilon)
            where T : unmanaged
            where TAccess : struct, IFloatAccess<T>
        {
            var scale = Scale<T, TAccess>(x, width, epsilon);
            var dots = Vector512<float>.Zero;
            long i = 0;
            for (; i + 16 <= width; i += 16)
            {
                var normalized = TAccess.Load(x + i) * scale;
                var g = TAccess.Load(gradient + i);
                Vector512.FusedMultiplyAdd(g, normalized, Vector512.Load(weightGradient + i)).Store(weightGradient + i);
                dots = Vector512.FusedMultiplyAdd(g * TAccess.Load(weight + i), normalized, dots);
            }
            var dot = Vector512.Sum(dots);
            for (; i < width; i++)
            {
                var normalized = TAccess.Read(x + i) * scale;
                var g = TAccess.Read(gradient + i);
                weightGradient[i] += g * normalized;
                dot += g * TAccess.Read(weight + i) * normalized;
            }
            var projection = dot / width;
            for (i = 0; i + 16 <= width; i += 16)
            {
                var normalized = TAccess.Load(x + i) * scale;
                TAccess.Store((TAccess.Load(gradient + i) * TAccess.Load(weight + i) - normalized * projection) * scale, inputGradient + i);
            }
            for (; i < width; i++)
            {
                var normalized = TAccess.Read(x + i) * scale;
                TAccess.Write((TAccess.Read(gradient + i) * TAccess.Read(weight + i) - normalized * projection) * scale, inputGradient + i);
            }
        }
    }
}
