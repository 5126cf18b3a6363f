using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Handbook.Autograd.Kernels;
using Handbook.Torch;

namespace Handbook.Autograd;

public static partial class RmsNorm
{
    /// <summary>SIMD for float32 and bfloat16 in host memory. A row's passes after the first find it in the cache.</summary>
    private static unsafe class Fused
    {
        private const long RowGrain = 16;

        internal static Tensor Forward(Tensor x, Tensor weight, double epsilon)
        {
            var y = Tensor.Empty(x.Shape, x.DType);
            if (x.DType == DType.Float32)
                Forward<float, SingleAccess>(x, null, weight, null, y, (float)epsilon);
            else
                Forward<ushort, BFloat16Access>(x, null, weight, null, y, (float)epsilon);
            return y;
        }

        internal static (Tensor Sum, Tensor Normalized) ForwardWithResidual(Tensor stream, Tensor delta, Tensor weight, double epsilon)
        {
            var sum = Tensor.Empty(stream.Shape, stream.DType);
            var y = Tensor.Empty(stream.Shape, stream.DType);
            if (stream.DType == DType.Float32)
                Forward<float, SingleAccess>(stream, delta, weight, sum, y, (float)epsilon);
            else
                Forward<ushort, BFloat16Access>(stream, delta, weight, sum, y, (float)epsilon);
            return (sum, y);
        }

        internal static (Tensor X, Tensor Weight) Backward(Tensor gradient, Tensor? residual, Tensor x, Tensor weight, double epsilon)
        {
            var width = x.Size(-1);
            var inputGradient = Tensor.Empty(x.Shape, x.DType);
            using var partial = Tensor.Zeros([RowSums.StripCount(x.ElementCount / width), width], DType.Float32);
            if (x.DType == DType.Float32)
                Backward<float, SingleAccess>(gradient, residual, x, weight, inputGradient, partial, (float)epsilon);
            else
                Backward<ushort, BFloat16Access>(gradient, residual, x, weight, inputGradient, partial, (float)epsilon);
            return (inputGradient, RowSums.OfStrips(partial, weight.DType));
        }

        private static void Forward<T, TAccess>(Tensor input, Tensor? added, Tensor weights, Tensor? sums, Tensor output, float epsilon)
            where T : unmanaged
            where TAccess : struct, IFloatAccess<T>
        {
            var width = input.Size(-1);
            var x = (T*)input.Pointer;
            var delta = added is null ? null : (T*)added.Pointer;
            var sum = sums is null ? null : (T*)sums.Pointer;
            var weight = (T*)weights.Pointer;
            var y = (T*)output.Pointer;
            ParallelWork.For(input.ElementCount / width, RowGrain, (begin, end) =>
            {
                for (var row = begin; row < end; row++)
                {
                    var source = x + row * width;
                    if (delta != null)
                    {
                        AddRow<T, TAccess>(source, delta + row * width, sum + row * width, width);
                        source = sum + row * width;
                    }
                    ScaleRow<T, TAccess>(source, weight, y + row * width, width, epsilon);
                }
            });
        }

        private static void AddRow<T, TAccess>(T* a, T* b, T* sum, long width)
            where T : unmanaged
            where TAccess : struct, IFloatAccess<T>
        {
            long i = 0;
            for (; i + 16 <= width; i += 16)
                TAccess.Store(TAccess.Load(a + i) + TAccess.Load(b + i), sum + i);
            for (; i < width; i++)
                TAccess.Write(TAccess.Read(a + i) + TAccess.Read(b + i), sum + i);
        }

        private static void ScaleRow<T, TAccess>(T* source, T* weight, T* target, long width, float epsilon)
            where T : unmanaged
            where TAccess : struct, IFloatAccess<T>
        {
            var scale = Scale<T, TAccess>(source, width, epsilon);
            long i = 0;
            for (; i + 16 <= width; i += 16)
                TAccess.Store(TAccess.Round(TAccess.Load(source + i) * scale) * TAccess.Load(weight + i), target + i);
            for (; i < width; i++)
            {
                // Through the target: the normalised value is rounded before the weight, as the reference does.
                TAccess.Write(TAccess.Read(source + i) * scale, target + i);
                TAccess.Write(TAccess.Read(target + i) * TAccess.Read(weight + i), target + i);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static float Scale<T, TAccess>(T* row, long width, float epsilon)
            where T : unmanaged
            where TAccess : struct, IFloatAccess<T>
        {
            var even = Vector512<float>.Zero;
            var odd = Vector512<float>.Zero;
            long i = 0;
            for (; i + 32 <= width; i += 32)
            {
                var (v, w) = (TAccess.Load(row + i), TAccess.Load(row + i + 16));
                even = Vector512.FusedMultiplyAdd(v, v, even);
                odd = Vector512.FusedMultiplyAdd(w, w, odd);
            }
            var sum = Vector512.Sum(even + odd);
            for (; i < width; i++)
            {
                var v = TAccess.Read(row + i);
                sum += v * v;
            }
            return 1f / MathF.Sqrt(sum / width + epsilon);
        }

        private static void Backward<T, TAccess>(Tensor gradients, Tensor? residuals, Tensor input, Tensor weights, Tensor output, Tensor partials, float epsilon)
            where T : unmanaged
            where TAccess : struct, IFloatAccess<T>
        {
            var width = input.Size(-1);
            var rows = input.ElementCount / width;
            var strips = partials.Size(0);
            var gradient = (T*)gradients.Pointer;
            var residual = residuals is null ? null : (T*)residuals.Pointer;
            var x = (T*)input.Pointer;
            var weight = (T*)weights.Pointer;
            var result = (T*)output.Pointer;
            var partial = (float*)partials.Pointer;
            ParallelWork.For(strips, 1, (begin, end) =>
            {
                for (var strip = begin; strip < end; strip++)
                {
                    var (row, last) = RowSums.Strip(strip, strips, rows);
                    for (; row < last; row++)
                    {
                        var at = row * width;
                        BackwardRow<T, TAccess>(gradient + at, residual == null ? null : residual + at, x + at, weight, result + at, partial + strip * width, width, epsilon);
                    }
                }
            });
        }

        private static void BackwardRow<T, TAccess>(T* gradient, T* residual, T* x, T* weight, T* result, float* weightGradient, long width, float epsilon)
            where T : unmanaged
            where TAccess : struct, IFloatAccess<T>
        {
            var scale = Scale<T, TAccess>(x, width, epsilon);
            var dots = Vector512<float>.Zero;
            long i = 0;
            for (; i + 16 <= width; i += 16)
            {
                var product = TAccess.Load(gradient + i) * (TAccess.Load(x + i) * scale);
                (Vector512.Load(weightGradient + i) + product).Store(weightGradient + i);
                dots = Vector512.FusedMultiplyAdd(product, TAccess.Load(weight + i), dots);
            }
            var dot = Vector512.Sum(dots);
            for (; i < width; i++)
            {
                var product = TAccess.Read(gradient + i) * (TAccess.Read(x + i) * scale);
                weightGradient[i] += product;
                dot += product * TAccess.Read(weight + i);
            }
            // dx = (g w - x scale · mean(g w x scale)) scale
            var along = -dot / width * scale * scale;
            for (i = 0; i + 16 <= width; i += 16)
            {
                var value = Vector512.FusedMultiplyAdd(
                    TAccess.Load(gradient + i) * TAccess.Load(weight + i), Vector512.Create(scale), TAccess.Load(x + i) * along);
                TAccess.Store(residual == null ? value : value + TAccess.Load(residual + i), result + i);
            }
            for (; i < width; i++)
            {
                var value = TAccess.Read(gradient + i) * TAccess.Read(weight + i) * scale + TAccess.Read(x + i) * along;
                TAccess.Write(residual == null ? value : value + TAccess.Read(residual + i), result + i);
            }
        }
    }
}
