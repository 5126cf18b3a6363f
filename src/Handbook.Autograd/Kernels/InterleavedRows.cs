using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>
/// Rows of tokens with pairs of them interleaved, the right operand of sums over tokens. One serves all projections of an input.
/// Owns its memory.
/// </summary>
internal sealed unsafe class InterleavedRows : IDisposable
{
    private const int StripPairs = 32;

    /// <summary>Rows are filled up with zeros to a multiple of this: sums over an odd rest of tokens ran at half the rate.</summary>
    internal const int RowGroup = 32;

    private readonly Tensor memory;

    /// <summary>Interleaves a bfloat16 [N, columns] tensor, filled up with zeros.</summary>
    internal InterleavedRows(Tensor rows)
    {
        Columns = rows.Size(1);
        var (count, columns) = (rows.Size(0), Columns);
        var pairs = (count + RowGroup - 1) / RowGroup * (RowGroup / 2);
        memory = TensorScope.Detach(Tensor.Empty([pairs * 2 * columns], DType.BFloat16));
        FusedKernels.ForWidth(Fill<Lanes16>, Fill<Lanes8>, Fill<Lanes4>)(rows, count, pairs);
    }

    private void Fill<V>(Tensor rows, long count, long pairs) where V : unmanaged, ILanes<V>
    {
        var columns = Columns;
        var (source, target) = ((nint)rows.Pointer, (nint)memory.Pointer);
        ParallelWork.For(pairs, StripPairs, (begin, end) =>
        {
            for (var pair = begin; pair < end; pair++)
            {
                var low = (ushort*)source + 2 * pair * columns;
                if (2 * pair >= count)
                    new Span<uint>((uint*)target + pair * columns, (int)columns).Clear();
                else
                    PairInterleaving.Run<V>(low, 2 * pair + 1 < count ? low + columns : null, columns, (uint*)target + pair * columns);
            }
        });
    }

    /// <summary>Elements of a row.</summary>
    internal long Columns { get; }

    /// <summary>The pair of rows that begins with this even row, from this column on;
    /// the distance of pairs is 2 * <see cref="Columns"/>.</summary>
    internal ushort* At(long row, long column) => (ushort*)memory.Pointer + row * Columns + 2 * column;

    /// <inheritdoc/>
    public void Dispose() => memory.Dispose();
}
