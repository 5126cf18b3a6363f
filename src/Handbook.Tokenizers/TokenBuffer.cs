namespace Handbook.Tokenizers;

/// <summary>Where encoders put tokens: arrays that grow, and the special tokens around them. Used again and again.</summary>
internal sealed class TokenBuffer
{
    private readonly List<int> _before = [];
    private readonly List<int> _after = [];

    /// <summary>Token ids; the first <see cref="Count"/> are in use.</summary>
    public int[] Ids { get; private set; } = new int[256];

    /// <summary>Ranges of the tokens in the text.</summary>
    public TextRange[] Ranges { get; private set; } = new TextRange[256];

    /// <summary>Number of tokens, without those around them.</summary>
    public int Count { get; private set; }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        Count = 0;
        _before.Clear();
        _after.Clear();
    }

    /// <summary>Appends a token.</summary>
    public void Add(int id, int start, int end)
    {
        Reserve(1);
        Ids[Count] = id;
        Ranges[Count++] = new TextRange(start, end);
    }

    /// <summary>Makes room for <paramref name="more"/> tokens.</summary>
    public void Reserve(int more)
    {
        if (Count + more <= Ids.Length)
            return;
        var length = Math.Max(Ids.Length * 2, Count + more);
        var (ids, ranges) = (new int[length], new TextRange[length]);
        Ids.AsSpan(0, Count).CopyTo(ids);
        Ranges.AsSpan(0, Count).CopyTo(ranges);
        (Ids, Ranges) = (ids, ranges);
    }

    /// <summary>Takes in tokens that were written to the arrays directly.</summary>
    public void Advance(int count) => Count += count;

    /// <summary>Puts special tokens around everything so far.</summary>
    public void Surround(ReadOnlySpan<int> before, ReadOnlySpan<int> after)
    {
        _before.InsertRange(0, before.ToArray());
        _after.AddRange(after);
    }

    /// <summary>The tokens as a result of their own.</summary>
    public TokenizedText ToTokenizedText(string text)
    {
        var count = _before.Count + Count + _after.Count;
        // Every entry is written below: clearing them first would be a third of the work of copying.
        var (ids, ranges, added) = (GC.AllocateUninitializedArray<int>(count),
            GC.AllocateUninitializedArray<TextRange>(count), new bool[count]);
        ranges.AsSpan(0, _before.Count).Clear();
        ranges.AsSpan(_before.Count + Count).Clear();
        _before.CopyTo(ids);
        Ids.AsSpan(0, Count).CopyTo(ids.AsSpan(_before.Count));
        Ranges.AsSpan(0, Count).CopyTo(ranges.AsSpan(_before.Count));
        _after.CopyTo(ids, _before.Count + Count);
        added.AsSpan(0, _before.Count).Fill(true);
        added.AsSpan(_before.Count + Count).Fill(true);
        return new TokenizedText(text, ids, ranges, added);
    }
}
