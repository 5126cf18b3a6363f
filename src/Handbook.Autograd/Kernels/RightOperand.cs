using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>A bfloat16 weight as the right operand B[k, n] of block products: it is cut into blocks of columns as it is used.</summary>
internal readonly unsafe struct RightOperand
{
    private readonly ushort* source;
    private readonly bool isTransposed;

    private RightOperand(Tensor matrix, bool isTransposed)
    {
        source = (ushort*)matrix.Pointer;
        this.isTransposed = isTransposed;
        (Rows, Columns) = isTransposed ? (matrix.Size(1), matrix.Size(0)) : (matrix.Size(0), matrix.Size(1));
    }

    /// <summary>k, even.</summary>
    internal long Rows { get; }

    /// <summary>n.</summary>
    internal long Columns { get; }

    /// <summary>A row-major [k, n] matrix, which must outlive the operand.</summary>
    internal static RightOperand Of(Tensor matrix) => new(matrix, isTransposed: false);

    /// <summary>The transpose of a row-major [n, k] matrix: its pairs along k lie side by side already.</summary>
    internal static RightOperand OfTransposed(Tensor matrix) => new(matrix, isTransposed: true);

    /// <summary>Writes a block of columns with its pairs of rows interleaved, [k / 2, width, 2].</summary>
    internal void Pack<V>(long firstColumn, int width, ushort* target) where V : unmanaged, ILanes<V>
    {
        if (isTransposed)
        {
            DwordTransposition.Run<V>((float*)(source + firstColumn * Rows), Rows / 2, width, (int)(Rows / 2), (float*)target, width);
            return;
        }
        for (var row = 0L; row < Rows; row += 2)
        {
            var low = source + row * Columns + firstColumn;
            PairInterleaving.Run<V>(low, low + Columns, width, (uint*)target + row / 2 * width);
        }
    }
}
