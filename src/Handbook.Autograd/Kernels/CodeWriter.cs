using System.Runtime.CompilerServices;
using Handbook.Autograd.Quantization;
using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>
/// Numbers to 4-bit codes in one pass. A block belongs to one thread, so the result does not depend on how many there are.
/// </summary>
internal static unsafe class CodeWriter
{
    private const long BlockGrain = 256;

    /// <summary>Codes and the largest absolute value of each block of a matrix.</summary>
    internal static (Tensor Codes, Tensor Scales) Quantize(Tensor matrix, CodeFormat format, int blockSize)
    {
        var count = matrix.ElementCount;
        var codes = Tensor.Empty([(count + 1) / 2, 1], DType.UInt8);
        var scales = Tensor.Empty([(count + blockSize - 1) / blockSize], DType.Float32);
        FusedKernels.ForWidth<Pass>(Run<Lanes16>, Run<Lanes8>, Run<Lanes4>)(matrix, format, blockSize, codes, scales);
        return (codes, scales);
    }

    private delegate void Pass(Tensor matrix, CodeFormat format, int blockSize, Tensor codes, Tensor scales);

    private static void Run<V>(Tensor matrix, CodeFormat format, int blockSize, Tensor codes, Tensor scales) where V : unmanaged, ILanes<V>
    {
        if (matrix.DType == DType.Float32)
            Run<float, SingleAccess, V>(matrix, format, blockSize, codes, scales);
        else
            Run<ushort, BFloat16Access, V>(matrix, format, blockSize, codes, scales);
    }

    private static void Run<T, TAccess, V>(Tensor matrix, CodeFormat format, int blockSize, Tensor codes, Tensor scales)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        var source = (T*)matrix.Pointer;
        var target = (byte*)codes.Pointer;
        var largest = (float*)scales.Pointer;
        var count = matrix.ElementCount;
        ParallelWork.For(scales.ElementCount, BlockGrain, (begin, end) =>
        {
            var numbers = stackalloc float[blockSize];
            var places = stackalloc uint[blockSize];
            for (var block = begin; block < end; block++)
            {
                var first = block * blockSize;
                var own = (int)Math.Min(blockSize, count - first);
                // Zeros behind the last element: they change no maximum, and their code fills an odd byte.
                new Span<float>(numbers, blockSize).Clear();
                largest[block] = Widen<T, TAccess, V>(source + first, own, numbers);
                var inverse = 1 / Math.Max(largest[block], QuantizedMatrix.LeastScale);
                Count<V>(numbers, blockSize, inverse, format, places);
                Pack(places, (own + 1) / 2, format.Order, target + first / 2);
            }
        });
    }

    /// <summary>Writes float32 numbers and returns the largest absolute value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Widen<T, TAccess, V>(T* source, int count, float* target)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        var absolute = V.CreateBits(0x7FFFFFFF);
        var most = default(V);
        var i = 0;
        for (; i + V.Count <= count; i += V.Count)
        {
            var number = TAccess.Load<V>(source + i);
            number.Store(target + i);
            most = V.Max(most, number & absolute);
        }
        var largest = 0f;
        for (var lane = 0; lane < V.Count; lane++)
            largest = Math.Max(largest, most[lane]);
        for (; i < count; i++)
        {
            target[i] = TAccess.Read(source + i);
            largest = Math.Max(largest, Math.Abs(target[i]));
        }
        return largest;
    }

    /// <summary>How many middles lie below each number, and 8 more for a sign.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Count<V>(float* numbers, int count, float inverse, CodeFormat format, uint* places) where V : unmanaged, ILanes<V>
    {
        var seen = V.CreateBits(format.HasSign ? 0x7FFFFFFFu : 0xFFFFFFFFu);
        var sign = V.CreateBits(format.HasSign ? 8u : 0u);
        for (var i = 0; i < count; i += V.Count)
        {
            var number = V.Load(numbers + i) * inverse;
            var place = V.GreaterThan(default, number) & sign;
            number &= seen;
            foreach (var middle in format.Middles)
                place = V.SubtractBits(place, V.GreaterThan(number, V.Create(middle)));
            place.Store((float*)places + i);
        }
    }

    private static void Pack(uint* places, int bytes, byte[] order, byte* target)
    {
        for (var i = 0; i < bytes; i++)
            target[i] = (byte)(order[places[2 * i]] << 4 | order[places[2 * i + 1]]);
    }
}
