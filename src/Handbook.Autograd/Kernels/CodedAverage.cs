using System.Runtime.CompilerServices;
using Handbook.Autograd.Quantization;

namespace Handbook.Autograd.Kernels;

/// <summary>A running average in codes, for a kernel that reads and writes it block by block.</summary>
internal readonly unsafe struct CodedAverage
{
    private readonly byte* codes;
    private readonly float* scales;
    private readonly DynamicCodeTables tables;

    internal CodedAverage(RunningAverage average)
    {
        codes = (byte*)average.Numbers.Pointer;
        scales = (float*)average.Scales!.Pointer;
        tables = average.Codes!.Tables;
    }

    /// <summary>The numbers of the block that begins at an element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Decode<V>(long first, int count, float* numbers) where V : unmanaged, ILanes<V> =>
        tables.Decode<V>(codes + first, count, scales[first / DynamicCodes.BlockSize], numbers);

    /// <summary>Takes a block's numbers back, and uses up the buffer.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Encode<V>(long first, int count, float* numbers) where V : unmanaged, ILanes<V> =>
        scales[first / DynamicCodes.BlockSize] = tables.Encode<V>(numbers, count, codes + first);
}
