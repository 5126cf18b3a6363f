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

    /// <summary>Parts that a block is packed in: few blocks would leave threads without work.</summary>
    private const int Parts = 2;

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
        TaskQueue.Run(packed.BlockCount * Parts, task =>
        {
            var (block, first, end) = packed.Part(task);
            var width = packed.Width(block);
            for (var row = 2L * first; row < 2L * end; row += 2)
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
        TaskQueue.Run(packed.BlockCount * Parts, task =>
        {
            var (block, first, end) = packed.Part(task);
            var width = packed.Width(block);
            var from = (float*)(source + (long)block * BlockColumns * packed.Rows) + first;
            DwordTransposition.Run(from, packed.Rows / 2, width, end - first, (float*)packed.Block(block) + (long)first * width, width);
        });
        return packed;
    }

    /// <summary>The block of a task and its pairs of rows; parts begin at whole tiles.</summary>
    private (int Block, int First, int End) Part(int task)
    {
        var pairs = (int)Rows / 2;
        var size = ((pairs + Parts - 1) / Parts + 15) / 16 * 16;
        var first = Math.Min(pairs, task % Parts * size);
        return (task / Parts, first, Math.Min(pairs, first + size));
    }

    /// <summary>Columns of one block; the last may be narrower.</summary>
    internal int Width(int block) => (int)Math.Min(BlockColumns, Columns - (long)block * BlockColumns);

    /// <summary>First element of one block.</summary>
    internal ushort* Block(int block) => (ushort*)memory.Pointer + (long)block * BlockColumns * Rows;

    /// <inheritdoc/>
    public void Dispose() => memory.Dispose();
}
