using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>
/// A bfloat16 matrix B[k, n] ready to be the right operand of block products: cut into blocks of columns, each with its pairs
/// of rows interleaved. Owns its memory.
/// </summary>
internal sealed unsafe class PackedMatrix : IDisposable
{
    /// <summary>Columns of a block: a block of a few hundred rows stays in the second-level cache.</summary>
    internal const int BlockColumns = 192;

    private readonly Tensor memory;

    private PackedMatrix(long rows, long columns)
    {
        Rows = rows;
        Columns = columns;
        memory = TensorScope.Detach(Tensor.Empty([rows * columns], DType.BFloat16));
    }

    /// <summary>k, even.</summary>
    internal long Rows { get; }

    /// <summary>n.</summary>
    internal long Columns { get; }

    /// <summary>Blocks of columns.</summary>
    internal int BlockCount => (int)((Columns + BlockColumns - 1) / BlockColumns);

    /// <summary>Packs a row-major [k, n] matrix.</summary>
    internal static PackedMatrix Of(Tensor matrix)
    {
        var packed = new PackedMatrix(matrix.Size(0), matrix.Size(1));
        var source = (ushort*)matrix.Pointer;
        TaskQueue.Run(packed.BlockCount, block =>
        {
            var width = packed.Width(block);
            for (var row = 0L; row < packed.Rows; row += 2)
            {
                var at = source + row * packed.Columns + (long)block * BlockColumns;
                PairInterleaving.Run(at, at + packed.Columns, width, (uint*)packed.Block(block) + row / 2 * width);
            }
        });
        return packed;
    }

    /// <summary>Packs the transpose of a row-major [n, k] matrix: its pairs along k lie side by side already.</summary>
    internal static PackedMatrix OfTransposed(Tensor matrix)
    {
        var packed = new PackedMatrix(matrix.Size(1), matrix.Size(0));
        var source = (ushort*)matrix.Pointer;
        TaskQueue.Run(packed.BlockCount, block =>
        {
            var width = packed.Width(block);
            DwordTransposition.Run(
                (float*)(source + (long)block * BlockColumns * packed.Rows), packed.Rows / 2, width, (int)packed.Rows / 2, (float*)packed.Block(block), width);
        });
        return packed;
    }

    /// <summary>Columns of one block; the last may be narrower.</summary>
    internal int Width(int block) => (int)Math.Min(BlockColumns, Columns - (long)block * BlockColumns);

    /// <summary>First element of one block.</summary>
    internal ushort* Block(int block) => (ushort*)memory.Pointer + (long)block * BlockColumns * Rows;

    /// <inheritdoc/>
    public void Dispose() => memory.Dispose();
}
