namespace Handbook.Data.Packing;

/// <summary>Turns document lengths into rows.</summary>
public static class Packer
{
    /// <summary>The size of the batches that <c>Dataset.map</c> hands to TRL's packing.</summary>
    private const int MapBatch = 1000;

    /// <summary>
    /// Plans the rows. Empty documents stand in none. The plan depends on the arguments alone.
    /// </summary>
    /// <param name="lengths">Tokens of each document.</param>
    /// <param name="options">Strategy and row length.</param>
    /// <param name="characterLengths">
    /// Characters (Unicode code points) of each rendered document; only <see cref="PackingStrategy.Legacy"/> reads them.
    /// </param>
    /// <exception cref="ArgumentException">The row length is not positive, or legacy packing lacks its characters.</exception>
    public static PackingPlan Plan(ReadOnlySpan<int> lengths, PackingOptions options, ReadOnlySpan<int> characterLengths = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.MaxLength);
        return options.Strategy switch
        {
            PackingStrategy.None => Decreasing(lengths, options, lengths.Length, oneDocumentRows: true),
            PackingStrategy.BestFit or PackingStrategy.BestFitSplit => Decreasing(lengths, options, lengths.Length, oneDocumentRows: false),
            PackingStrategy.BestFitBy1000 => Decreasing(lengths, options, MapBatch, oneDocumentRows: false),
            PackingStrategy.Wrapped => StreamPacking.Wrapped(lengths, options.MaxLength, lengths.Length),
            PackingStrategy.WrappedBy1000 => StreamPacking.Wrapped(lengths, options.MaxLength, MapBatch),
            PackingStrategy.Legacy => StreamPacking.Legacy(lengths, characterLengths, options),
            _ => throw new ArgumentOutOfRangeException(nameof(options), options.Strategy, "unknown packing strategy"),
        };
    }

    private static PackingPlan Decreasing(ReadOnlySpan<int> lengths, PackingOptions options, int batch, bool oneDocumentRows)
    {
        var pieces = Fit(lengths, options, out var pieceCountAfter, out var counts);
        if (oneDocumentRows)
        {
            var starts = new int[pieces.Length + 1];
            for (var i = 0; i < starts.Length; i++)
                starts[i] = i;
            return new PackingPlan(pieces, starts, counts);
        }
        var packing = new BestFitPacking(options.MaxLength, pieces.Length);
        for (var start = 0; start < lengths.Length; start += batch)
        {
            var end = Math.Min(lengths.Length, start + batch);
            var first = start == 0 ? 0 : pieceCountAfter[start - 1];
            packing.Pack(pieces.AsSpan(first, pieceCountAfter[end - 1] - first));
        }
        return packing.Finish(pieces, counts);
    }

    /// <summary>The pieces that are to be packed: each document, cut as the policy says.</summary>
    private static Piece[] Fit(ReadOnlySpan<int> lengths, PackingOptions options, out int[] pieceCountAfter, out PackingCounts counts)
    {
        var (truncated, dropped, split, lost, max) = (0, 0, 0, 0L, options.MaxLength);
        var pieces = new Piece[PieceCount(lengths, options)];
        var count = 0;
        pieceCountAfter = new int[lengths.Length];
        for (var document = 0; document < lengths.Length; document++)
        {
            var length = lengths[document];
            if (length <= max)
            {
                if (length > 0)
                    pieces[count++] = new Piece(document, 0, length);
            }
            else if (options.Overlong == OverlongPolicy.Split)
            {
                split++;
                for (var start = 0; start < length; start += max)
                    pieces[count++] = new Piece(document, start, Math.Min(max, length - start));
            }
            else if (options.Overlong == OverlongPolicy.Drop)
            {
                dropped++;
                lost += length;
            }
            else
            {
                truncated++;
                lost += length - max;
                pieces[count++] = new Piece(document, options.Overlong == OverlongPolicy.KeepStart ? 0 : length - max, max);
            }
            pieceCountAfter[document] = count;
        }
        counts = new PackingCounts(truncated, dropped, split, lost);
        return pieces;
    }

    private static int PieceCount(ReadOnlySpan<int> lengths, PackingOptions options)
    {
        var count = 0;
        foreach (var length in lengths)
        {
            count += length <= options.MaxLength ? Math.Min(length, 1)
                : options.Overlong == OverlongPolicy.Split ? (length + options.MaxLength - 1) / options.MaxLength
                : options.Overlong == OverlongPolicy.Drop ? 0 : 1;
        }
        return count;
    }
}
