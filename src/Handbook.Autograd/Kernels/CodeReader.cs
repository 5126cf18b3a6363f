using System.Runtime.CompilerServices;
using Handbook.Autograd.Quantization;
using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>
/// Numbers of a matrix in codes of few bits, read into the cache of whoever multiplies with them. Every number is scaled in float32 and
/// rounded once to the type that is asked for; with four bits that is done once for each of a block's sixteen codes.
/// </summary>
internal readonly unsafe struct CodeReader
{
    private const int TableSize = 16;
    private const int Piece = 1 << 14;

    /// <summary>Half of 2^24: a float32 of this size counts in ones, so that a byte's bits become a number.</summary>
    private const uint CountingBits = 0x4B000000;
    private const float CountingZero = 8388608 + 128;

    private readonly byte* codes;
    private readonly float* table;
    private readonly long blockSize;
    private readonly ScaleReader scales;

    internal CodeReader(QuantizedMatrix matrix)
    {
        codes = (byte*)matrix.Codes.Pointer;
        table = matrix.Table is { } numbers ? (float*)numbers.Pointer : null;
        blockSize = matrix.BlockSize;
        scales = matrix.Scales.Reader;
    }

    /// <summary>All numbers of a matrix, in float32 or bfloat16.</summary>
    internal static Tensor ToTensor(QuantizedMatrix matrix, DType dtype)
    {
        var numbers = Tensor.Empty(matrix.Shape, dtype);
        var kernel = FusedKernels.ForWidth<Action<CodeReader, Tensor>>(ReadAll<Lanes16>, ReadAll<Lanes8>, ReadAll<Lanes4>);
        kernel(new CodeReader(matrix), numbers);
        return numbers;
    }

    private static void ReadAll<V>(CodeReader reader, Tensor target) where V : unmanaged, ILanes<V>
    {
        var (numbers, isSingle) = ((nint)target.Pointer, target.DType == DType.Float32);
        ParallelWork.ForBlocks(target.ElementCount, Piece, (begin, end) =>
        {
            for (; begin < end; begin += Piece)
            {
                var count = (int)Math.Min(Piece, end - begin);
                if (isSingle)
                    reader.Read<float, SingleAccess, V>(begin, count, (float*)numbers + begin);
                else
                    reader.Read<ushort, BFloat16Access, V>(begin, count, (ushort*)numbers + begin);
            }
        });
    }

    /// <summary>Reads neighbouring elements of the matrix, which lies row after row.</summary>
    /// <param name="first">Number of the first element.</param>
    /// <param name="count">How many.</param>
    /// <param name="target">Where they go.</param>
    internal void Read<T, TAccess, V>(long first, int count, T* target)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        var values = stackalloc float[TableSize];
        var end = first + count;
        while (first < end)
        {
            var block = first / blockSize;
            var stop = Math.Min(end, (block + 1) * blockSize);
            if (table == null)
            {
                ReadBytes<T, TAccess, V>(first, stop, scales[block], target);
            }
            else
            {
                for (var i = 0; i < TableSize; i += V.Count)
                    TAccess.Round(V.Load(table + i) * scales[block]).Store(values + i);
                ReadHalves<T, TAccess, V>(first, stop, values, target);
            }
            target += stop - first;
            first = stop;
        }
    }

    /// <summary>Four bits: the upper half of a byte comes first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void ReadHalves<T, TAccess, V>(long first, long end, float* values, T* target)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        if (first % 2 != 0 && first < end)
            TAccess.Write(values[codes[first++ / 2] & 15], target++);
        for (; first + 2 * V.Count <= end; first += 2 * V.Count, target += 2 * V.Count)
        {
            var pairs = V.LoadBytes(codes + first / 2);
            TAccess.StoreByTurns(V.LookUp(values, V.ShiftRight(pairs, 4)), V.LookUp(values, pairs), target);
        }
        for (; first < end; first++)
            TAccess.Write(values[(codes[first / 2] >> (first % 2 == 0 ? 4 : 0)) & 15], target++);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void ReadBytes<T, TAccess, V>(long first, long end, float scale, T* target)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        for (; first + V.Count <= end; first += V.Count, target += V.Count)
        {
            var bits = V.LoadBytes(codes + first) ^ V.CreateBits(CountingBits | 0x80);
            TAccess.Store((bits - V.Create(CountingZero)) * scale * QuantizedMatrix.ByteUnit, target);
        }
        for (; first < end; first++)
            TAccess.Write((sbyte)codes[first] * scale * QuantizedMatrix.ByteUnit, target++);
    }
}
