using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>Dropout in one pass: the numbers are made where they are compared, and no mask goes through memory.</summary>
internal static unsafe class DropoutKernel
{
    private const int Grain = 1 << 13;

    /// <summary>x times the mask of the numbers from an index on; the same elements as the plain composition.</summary>
    internal static Tensor Apply(Tensor x, RandomStream random, ulong first, double probability)
    {
        var y = Tensor.Empty(x.Shape, x.DType);
        if (x.DType == DType.Float32)
            Run<float, SingleAccess>(x, y, random, first, probability);
        else
            Run<ushort, BFloat16Access>(x, y, random, first, probability);
        return y;
    }

    private static void Run<T, TAccess>(Tensor x, Tensor y, RandomStream random, ulong first, double probability)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
    {
        var (source, target) = ((nint)x.Pointer, (nint)y.Pointer);
        // A uniform number has 24 bits: it lies below p where its bits lie below this.
        var bound = (ulong)Math.Ceiling(probability * (1 << 24));
        var rounded = default(T);
        TAccess.Write((float)(1 / (1 - probability)), &rounded);
        var factor = TAccess.Read(&rounded);
        ParallelWork.For(x.ElementCount, Grain, (begin, end) =>
        {
            var from = (T*)source;
            var to = (T*)target;
            for (var i = begin; i < end; i++)
            {
                if (random.Bits(first + (ulong)i) >> 40 < bound)
                    to[i] = default;
                else
                    TAccess.Write(TAccess.Read(from + i) * factor, to + i);
            }
        });
    }
}
