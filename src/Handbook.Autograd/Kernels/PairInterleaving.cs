using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Handbook.Autograd.Kernels;

/// <summary>Two rows of bfloat16 side by side, element by element: how block products want the rows of a right operand.</summary>
internal static unsafe class PairInterleaving
{
    /// <summary>target[c] holds low[c] in its lower half and high[c] in its upper; a null row counts as zeros.</summary>
    internal static void Run(ushort* low, ushort* high, long columns, uint* target)
    {
        long c = 0;
        if (high != null)
        {
            for (; c + 16 <= columns; c += 16)
            {
                var a = Avx512F.ConvertToVector512UInt32(Vector256.Load(low + c));
                var b = Avx512F.ConvertToVector512UInt32(Vector256.Load(high + c));
                (a | Vector512.ShiftLeft(b, 16)).Store(target + c);
            }
        }
        for (; c < columns; c++)
            target[c] = low[c] | (high == null ? 0u : (uint)high[c] << 16);
    }
}
