using System.Runtime.CompilerServices;
using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>Dropout in one pass: the numbers are made where they are compared, and no mask goes through memory.</summary>
internal static unsafe class DropoutKernel
{
    private const int Grain = 1 << 13;

    /// <summary>Elements whose marks are in the first-level cache.</summary>
    private const int Strip = 1 << 11;

    /// <summary>x times the mask of the numbers from an index on; the same elements as the plain composition.</summary>
    internal static Tensor Apply(Tensor x, RandomStream random, ulong first, double probability)
    {
        var y = Tensor.Empty(x.Shape, x.DType);
        var kernel = x.DType == DType.Float32
            ? FusedKernels.ForWidth<Pass>(
                Run<float, SingleAccess, Lanes16>, Run<float, SingleAccess, Lanes8>, Run<float, SingleAccess, Lanes4>)
            : FusedKernels.ForWidth<Pass>(
                Run<ushort, BFloat16Access, Lanes16>, Run<ushort, BFloat16Access, Lanes8>, Run<ushort, BFloat16Access, Lanes4>);
        kernel(x, y, random, first, probability);
        return y;
    }

    /// <summary>A uniform number has 24 bits: it lies below p where its bits lie below this.</summary>
    internal static ulong Bound(double probability) => (ulong)Math.Ceiling(probability * (1 << 24));

    /// <summary>Lanes of ones where bytes are 1, of zeros where they are 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Lanes<V>(byte* marks) where V : unmanaged, ILanes<V> => V.SubtractBits(default, V.LoadBytes(marks));

    /// <summary>Elements that are marked times a factor, zeros for the others.</summary>
    internal static void Apply<T, TAccess, V>(T* source, byte* marks, float factor, long count, T* target)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        var i = 0L;
        for (; i + V.Count <= count; i += V.Count)
            TAccess.Store((TAccess.Load<V>(source + i) * factor) & Lanes<V>(marks + i), target + i);
        for (; i < count; i++)
        {
            if (marks[i] == 0)
                target[i] = default;
            else
                TAccess.Write(TAccess.Read(source + i) * factor, target + i);
        }
    }

    private delegate void Pass(Tensor x, Tensor y, RandomStream random, ulong first, double probability);

    private static void Run<T, TAccess, V>(Tensor x, Tensor y, RandomStream random, ulong first, double probability)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        var (source, target) = ((nint)x.Pointer, (nint)y.Pointer);
        var bound = Bound(probability);
        var rounded = default(T);
        TAccess.Write((float)(1 / (1 - probability)), &rounded);
        var factor = TAccess.Read(&rounded);
        ParallelWork.For(x.ElementCount, Grain, (begin, end) =>
        {
            var marks = stackalloc byte[Strip];
            for (; begin < end; begin += Strip)
            {
                var count = (int)Math.Min(Strip, end - begin);
                random.MarkAtLeast(first + (ulong)begin, count, bound, marks);
                Apply<T, TAccess, V>((T*)source + begin, marks, factor, count, (T*)target + begin);
            }
        });
    }
}
