using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>SIMD for float32 and bfloat16 in host memory.</summary>
internal static unsafe class RotaryKernel
{
    private const long ElementGrain = 1 << 14;

    /// <summary>The tables: rows of <see cref="Half"/> numbers.</summary>
    private readonly struct Angles(float* cos, float* sin, long half)
    {
        internal readonly float* Cos = cos;
        internal readonly float* Sin = sin;
        internal readonly long Half = half;
    }

    internal static Tensor Rotate(Tensor x, Tensor cos, Tensor sin, bool inverse) =>
        FusedKernels.ForWidth(Turn<Lanes16>, Turn<Lanes8>, Turn<Lanes4>)(x, cos, sin, inverse);

    private static Tensor Turn<V>(Tensor x, Tensor cos, Tensor sin, bool inverse) where V : unmanaged, ILanes<V>
    {
        var turned = Tensor.Empty(x.Shape, x.DType);
        var (tokens, heads, width) = (x.Size(0), x.Size(1), x.Size(2));
        var angles = new Angles((float*)cos.Pointer, (float*)sin.Pointer, cos.Size(1));
        var sign = inverse ? -1f : 1f;
        if (x.DType == DType.Float32)
            Rotate<float, SingleAccess, V>((float*)x.Pointer, angles, (float*)turned.Pointer, tokens, heads, width, sign);
        else
            Rotate<ushort, BFloat16Access, V>((ushort*)x.Pointer, angles, (ushort*)turned.Pointer, tokens, heads, width, sign);
        return turned;
    }

    private static void Rotate<T, TAccess, V>(T* x, Angles angles, T* turned, long tokens, long heads, long width, float sign)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        ParallelWork.For(tokens, Math.Max(1, ElementGrain / (heads * width)), (begin, end) =>
        {
            var half = angles.Half;
            for (var row = begin * heads; row < end * heads; row++)
            {
                var token = row / heads;
                RotateHead<T, TAccess, V>(
                    x + row * width, angles.Cos + token * half, angles.Sin + token * half, turned + row * width, half, sign);
                for (var i = 2 * half; i < width; i++)
                    turned[row * width + i] = x[row * width + i];
            }
        });
    }

    private static void RotateHead<T, TAccess, V>(T* x, float* cos, float* sin, T* turned, long half, float sign)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        long i = 0;
        for (; i + V.Count <= half; i += V.Count)
        {
            var (first, second) = (TAccess.Load<V>(x + i), TAccess.Load<V>(x + half + i));
            var (c, s) = (V.Load(cos + i), V.Load(sin + i) * sign);
            TAccess.Store(first * c - second * s, turned + i);
            TAccess.Store(second * c + first * s, turned + half + i);
        }
        for (; i < half; i++)
        {
            var (first, second) = (TAccess.Read(x + i), TAccess.Read(x + half + i));
            var (c, s) = (cos[i], sin[i] * sign);
            TAccess.Write(first * c - second * s, turned + i);
            TAccess.Write(second * c + first * s, turned + half + i);
        }
    }
}
