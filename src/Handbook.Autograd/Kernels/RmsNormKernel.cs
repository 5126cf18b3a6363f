using System.Runtime.CompilerServices;
using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>SIMD for float32 and bfloat16 in host memory. A row's passes after the first find it in the cache.</summary>
internal static unsafe class RmsNormKernel
{
    private const long RowGrain = 16;

    internal static Tensor Forward(Tensor x, Tensor weight, double epsilon) =>
        FusedKernels.ForWidth(Normalize<Lanes16>, Normalize<Lanes8>, Normalize<Lanes4>)(x, weight, epsilon);

    internal static (Tensor Sum, Tensor Normalized) ForwardWithResidual(Tensor stream, Tensor delta, Tensor weight, double epsilon) =>
        FusedKernels.ForWidth(AddAndNormalize<Lanes16>, AddAndNormalize<Lanes8>, AddAndNormalize<Lanes4>)(stream, delta, weight, epsilon);

    internal static (Tensor X, Tensor Weight) Backward(Tensor gradient, Tensor? residual, Tensor x, Tensor weight, double epsilon) =>
        FusedKernels.ForWidth(Differentiate<Lanes16>, Differentiate<Lanes8>, Differentiate<Lanes4>)(gradient, residual, x, weight, epsilon);

    private static Tensor Normalize<V>(Tensor x, Tensor weight, double epsilon) where V : unmanaged, ILanes<V>
    {
        var y = Tensor.Empty(x.Shape, x.DType);
        if (x.DType == DType.Float32)
            Forward<float, SingleAccess, V>(x, null, weight, null, y, (float)epsilon);
        else
            Forward<ushort, BFloat16Access, V>(x, null, weight, null, y, (float)epsilon);
        return y;
    }

    private static (Tensor Sum, Tensor Normalized) AddAndNormalize<V>(Tensor stream, Tensor delta, Tensor weight, double epsilon)
        where V : unmanaged, ILanes<V>
    {
        var sum = Tensor.Empty(stream.Shape, stream.DType);
        var y = Tensor.Empty(stream.Shape, stream.DType);
        if (stream.DType == DType.Float32)
            Forward<float, SingleAccess, V>(stream, delta, weight, sum, y, (float)epsilon);
        else
            Forward<ushort, BFloat16Access, V>(stream, delta, weight, sum, y, (float)epsilon);
        return (sum, y);
    }

    private static (Tensor X, Tensor Weight) Differentiate<V>(Tensor gradient, Tensor? residual, Tensor x, Tensor weight, double epsilon)
        where V : unmanaged, ILanes<V>
    {
        var width = x.Size(-1);
        var inputGradient = Tensor.Empty(x.Shape, x.DType);
        using var partial = Tensor.Zeros([RowSums.StripCount(x.ElementCount / width), width], DType.Float32);
        if (x.DType == DType.Float32)
            Backward<float, SingleAccess, V>(gradient, residual, x, weight, inputGradient, partial, (float)epsilon);
        else
            Backward<ushort, BFloat16Access, V>(gradient, residual, x, weight, inputGradient, partial, (float)epsilon);
        return (inputGradient, RowSums.OfStrips<V>(partial, weight.DType));
    }

    private static void Forward<T, TAccess, V>(Tensor input, Tensor? added, Tensor weights, Tensor? sums, Tensor output, float epsilon)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
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
                    AddRow<T, TAccess, V>(source, delta + row * width, sum + row * width, width);
                    source = sum + row * width;
                }
                ScaleRow<T, TAccess, V>(source, weight, y + row * width, width, epsilon);
            }
        });
    }

    private static void AddRow<T, TAccess, V>(T* a, T* b, T* sum, long width)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        long i = 0;
        for (; i + V.Count <= width; i += V.Count)
            TAccess.Store(TAccess.Load<V>(a + i) + TAccess.Load<V>(b + i), sum + i);
        for (; i < width; i++)
            TAccess.Write(TAccess.Read(a + i) + TAccess.Read(b + i), sum + i);
    }

    private static void ScaleRow<T, TAccess, V>(T* source, T* weight, T* target, long width, float epsilon)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        var scale = Scale<T, TAccess, V>(source, width, epsilon);
        long i = 0;
        for (; i + V.Count <= width; i += V.Count)
            TAccess.Store(TAccess.Round(TAccess.Load<V>(source + i) * scale) * TAccess.Load<V>(weight + i), target + i);
        for (; i < width; i++)
        {
            // Through the target: the normalised value is rounded before the weight, as the reference does.
            TAccess.Write(TAccess.Read(source + i) * scale, target + i);
            TAccess.Write(TAccess.Read(target + i) * TAccess.Read(weight + i), target + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Scale<T, TAccess, V>(T* row, long width, float epsilon)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        var even = default(V);
        var odd = default(V);
        long i = 0;
        for (; i + 2 * V.Count <= width; i += 2 * V.Count)
        {
            var (v, w) = (TAccess.Load<V>(row + i), TAccess.Load<V>(row + i + V.Count));
            even = V.MultiplyAdd(v, v, even);
            odd = V.MultiplyAdd(w, w, odd);
        }
        var sum = V.Sum(even + odd);
        for (; i < width; i++)
        {
            var v = TAccess.Read(row + i);
            sum += v * v;
        }
        return 1f / MathF.Sqrt(sum / width + epsilon);
    }

    private static void Backward<T, TAccess, V>(
        Tensor gradients, Tensor? residuals, Tensor input, Tensor weights, Tensor output, Tensor partials, float epsilon)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
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
                    BackwardRow<T, TAccess, V>(
                        gradient + at, residual == null
                            ? null
                            : residual + at, x + at, weight, result + at, partial + strip * width, width, epsilon);
                }
            }
        });
    }

    private static void BackwardRow<T, TAccess, V>(
        T* gradient, T* residual, T* x, T* weight, T* result, float* weightGradient, long width, float epsilon)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        var scale = Scale<T, TAccess, V>(x, width, epsilon);
        var dots = default(V);
        long i = 0;
        for (; i + V.Count <= width; i += V.Count)
        {
            var product = TAccess.Load<V>(gradient + i) * (TAccess.Load<V>(x + i) * scale);
            (V.Load(weightGradient + i) + product).Store(weightGradient + i);
            dots = V.MultiplyAdd(product, TAccess.Load<V>(weight + i), dots);
        }
        var dot = V.Sum(dots);
        for (; i < width; i++)
        {
            var product = TAccess.Read(gradient + i) * (TAccess.Read(x + i) * scale);
            weightGradient[i] += product;
            dot += product * TAccess.Read(weight + i);
        }
        // dx = (g w - x scale · mean(g w x scale)) scale
        var along = -dot / width * scale * scale;
        for (i = 0; i + V.Count <= width; i += V.Count)
        {
            var value = V.MultiplyAdd(
                TAccess.Load<V>(gradient + i) * TAccess.Load<V>(weight + i), V.Create(scale), TAccess.Load<V>(x + i) * along);
            TAccess.Store(residual == null ? value : value + TAccess.Load<V>(residual + i), result + i);
        }
        for (; i < width; i++)
        {
            var value = TAccess.Read(gradient + i) * TAccess.Read(weight + i) * scale + TAccess.Read(x + i) * along;
            TAccess.Write(residual == null ? value : value + TAccess.Read(residual + i), result + i);
        }
    }
}
