namespace Handbook.Autograd.Kernels;

/// <summary>Two rows of bfloat16 side by side, element by element: how block products want the rows of a right operand.</summary>
internal static unsafe class PairInterleaving
{
    /// <summary>target[c] holds low[c] in its lower half and high[c] in its upper; a null row counts as zeros.</summary>
    internal static void Run<V>(ushort* low, ushort* high, long columns, uint* target) where V : unmanaged, ILanes<V>
    {
        long c = 0;
        if (high != null)
        {
            for (; c + V.Count <= columns; c += V.Count)
                (V.LoadHalves(low + c) | V.ShiftLeft(V.LoadHalves(high + c), 16)).Store((float*)target + c);
        }
        for (; c < columns; c++)
            target[c] = low[c] | (high == null ? 0u : (uint)high[c] << 16);
    }
}
