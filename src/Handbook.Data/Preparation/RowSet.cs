namespace Handbook.Data.Preparation;

/// <summary>Some rows of a source: a bit a row, since a large mixture names most of them.</summary>
internal sealed class RowSet
{
    private readonly System.Collections.BitArray bits;

    public RowSet(IEnumerable<int> rows)
    {
        var list = rows.ToList();
        bits = new(list.DefaultIfEmpty(-1).Max() + 1);
        foreach (var row in list)
        {
            Count += bits[row] ? 0 : 1;
            bits[row] = true;
        }
    }

    /// <summary>Number of different rows.</summary>
    public int Count { get; }

    /// <summary>True for a row of the set.</summary>
    public bool Contains(long row) => row < bits.Length && bits[(int)row];
}
