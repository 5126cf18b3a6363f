using System.Runtime.InteropServices;

namespace Handbook.Tokenizers.Models;

/// <summary>A symbol of a word being merged: a token id and how much text it stands for.</summary>
[StructLayout(LayoutKind.Auto)]
internal record struct Symbol(int Id, int Length);

/// <summary>
/// Merges a word's symbols: again and again the pair of lowest rank, the leftmost of several (Sennrich et al. 2016).
/// Holds scratch memory and is not for several threads at once.
/// </summary>
internal sealed class SymbolList
{
    /// <summary>Below this many symbols a plain scan for the lowest rank is faster than a heap.</summary>
    private const int ScanLimit = 40;

    private readonly PriorityQueue<Candidate, ulong> _queue = new();
    private Symbol[] _symbols = new Symbol[64];
    private ulong[] _pairs = new ulong[64];
    private int[] _previous = [];
    private int[] _next = [];

    /// <summary>Number of symbols.</summary>
    public int Count { get; private set; }

    /// <summary>The symbols.</summary>
    public ReadOnlySpan<Symbol> Symbols => _symbols.AsSpan(0, Count);

    /// <summary>Forgets all symbols.</summary>
    public void Clear() => Count = 0;

    /// <summary>Appends a symbol.</summary>
    public void Add(int id, int length)
    {
        if (Count == _symbols.Length)
        {
            Array.Resize(ref _symbols, Count * 2);
            _pairs = new ulong[Count * 2];
        }
        _symbols[Count++] = new Symbol(id, length);
    }

    /// <summary>Merges until no neighbouring pair has a merge.</summary>
    public void Merge(MergeTable merges)
    {
        if (Count <= ScanLimit)
            MergeByScan(merges);
        else
            MergeByQueue(merges);
    }

    private void MergeByScan(MergeTable merges)
    {
        var symbols = _symbols;
        var pairs = _pairs;
        var count = Count;
        for (var i = 0; i + 1 < count; i++)
            pairs[i] = merges.Find(symbols[i].Id, symbols[i + 1].Id);
        while (true)
        {
            var best = MergeTable.None;
            var at = -1;
            for (var i = 0; i + 1 < count; i++)
            {
                // Equal ranks are equal pairs, so comparing whole results keeps the leftmost of the lowest rank.
                if (pairs[i] < best)
                    (best, at) = (pairs[i], i);
            }
            if (at < 0)
                break;
            symbols[at] = new Symbol((int)(uint)best, symbols[at].Length + symbols[at + 1].Length);
            count--;
            symbols.AsSpan(at + 2, count - at - 1).CopyTo(symbols.AsSpan(at + 1));
            if (count - at - 2 > 0)
                pairs.AsSpan(at + 2, count - at - 2).CopyTo(pairs.AsSpan(at + 1));
            if (at > 0)
                pairs[at - 1] = merges.Find(symbols[at - 1].Id, symbols[at].Id);
            if (at + 1 < count)
                pairs[at] = merges.Find(symbols[at].Id, symbols[at + 1].Id);
        }
        Count = count;
    }

    private void MergeByQueue(MergeTable merges)
    {
        if (_next.Length < Count)
            (_previous, _next) = (new int[_symbols.Length], new int[_symbols.Length]);
        _queue.Clear();
        for (var i = 0; i < Count; i++)
        {
            (_previous[i], _next[i]) = (i - 1, i + 1 < Count ? i + 1 : -1);
            if (i + 1 < Count)
                Enqueue(merges, i, i + 1);
        }
        while (_queue.TryDequeue(out var candidate, out _))
        {
            var (left, right) = (candidate.Left, _next[candidate.Left]);
            // A side may have been merged since: dead symbols have length -1, and a grown one another id.
            if (_symbols[left].Length < 0 || right < 0
                || _symbols[left].Id != candidate.LeftId || _symbols[right].Id != candidate.RightId)
                continue;
            _symbols[left] = new Symbol(candidate.Merged, _symbols[left].Length + _symbols[right].Length);
            _symbols[right].Length = -1;
            _next[left] = _next[right];
            if (_next[left] >= 0)
            {
                _previous[_next[left]] = left;
                Enqueue(merges, left, _next[left]);
            }
            if (_previous[left] >= 0)
                Enqueue(merges, _previous[left], left);
        }
        var count = 0;
        for (var i = 0; i >= 0; i = _next[i])
            _symbols[count++] = _symbols[i];
        Count = count;
    }

    private void Enqueue(MergeTable merges, int left, int right)
    {
        var found = merges.Find(_symbols[left].Id, _symbols[right].Id);
        if (found == MergeTable.None)
            return;
        var candidate = new Candidate(left, _symbols[left].Id, _symbols[right].Id, (int)(uint)found);
        _queue.Enqueue(candidate, (found & 0xFFFFFFFF00000000) | (uint)left);
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Candidate(int Left, int LeftId, int RightId, int Merged);
}
