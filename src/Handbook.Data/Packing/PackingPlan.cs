namespace Handbook.Data.Packing;

/// <summary>Which piece of which document stands in which row; made from lengths alone, before any token is moved.</summary>
public sealed class PackingPlan
{
    private readonly int[] rowStarts;
    private readonly Piece[] pieces;

    /// <summary>Takes over the pieces of all rows, and where each row's pieces begin (one entry more than rows).</summary>
    public PackingPlan(Piece[] pieces, int[] rowStarts, PackingCounts counts)
    {
        this.pieces = pieces;
        this.rowStarts = rowStarts;
        Counts = counts;
        foreach (var piece in pieces)
            TokenCount += piece.Length;
    }

    /// <summary>Number of rows; the schedule's steps are counted from these.</summary>
    public int RowCount => rowStarts.Length - 1;

    /// <summary>Tokens in all rows.</summary>
    public long TokenCount { get; }

    /// <summary>What happened to documents that did not fit.</summary>
    public PackingCounts Counts { get; }

    /// <summary>The pieces of every row, row after row.</summary>
    public ReadOnlySpan<Piece> Pieces => pieces;

    /// <summary>Index of each row's first piece, and the number of pieces at the end.</summary>
    public ReadOnlySpan<int> RowStarts => rowStarts;

    /// <summary>The pieces of one row, in order.</summary>
    public ReadOnlySpan<Piece> Row(int row) => pieces.AsSpan(rowStarts[row], rowStarts[row + 1] - rowStarts[row]);

    /// <summary>Exchanges the documents' numbers for those at their place in a list.</summary>
    internal void Renumber(ReadOnlySpan<int> documents)
    {
        for (var i = 0; i < pieces.Length; i++)
            pieces[i] = pieces[i] with { Document = documents[pieces[i].Document] };
    }

    /// <summary>Tokens of one row.</summary>
    public int RowLength(int row)
    {
        var length = 0;
        foreach (var piece in Row(row))
            length += piece.Length;
        return length;
    }

    /// <summary>Share of the rows' places that hold a token.</summary>
    public double Efficiency(int maxLength) => RowCount == 0 ? 1 : TokenCount / ((double)RowCount * maxLength);
}
