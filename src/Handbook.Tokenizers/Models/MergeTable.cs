namespace Handbook.Tokenizers.Models;

/// <summary>
/// The merges of a BPE model: for two neighbouring token ids, the rank of their merge (lower goes first) and what it makes.
/// Open addressing over two flat arrays; a pair is found in one or two probes.
/// </summary>
internal sealed class MergeTable
{
    private const ulong Empty = ulong.MaxValue;
    private readonly ulong[] _pairs;
    private readonly ulong[] _results;
    private readonly int _shift;

    /// <summary>Room for <paramref name="count"/> merges.</summary>
    public MergeTable(int count)
    {
        var bits = 4;
        while ((1L << bits) < count * 2L)
            bits++;
        _shift = 64 - bits;
        _pairs = new ulong[1 << bits];
        _results = new ulong[1 << bits];
        Array.Fill(_pairs, Empty);
    }

    /// <summary>What <see cref="Find"/> gives for a pair that does not merge; above every real result.</summary>
    public const ulong None = ulong.MaxValue;

    /// <summary>Sets the merge of a pair; a later rank for the same pair takes the place of the earlier one.</summary>
    public void Add(int left, int right, int rank, int merged)
    {
        var pair = Pair(left, right);
        var slot = Slot(pair);
        while (_pairs[slot] != Empty && _pairs[slot] != pair)
            slot = (slot + 1) & (_pairs.Length - 1);
        _pairs[slot] = pair;
        _results[slot] = ((ulong)(uint)rank << 32) | (uint)merged;
    }

    /// <summary>Rank (upper half) and merged id (lower half), or <see cref="None"/>.</summary>
    public ulong Find(int left, int right)
    {
        var pair = Pair(left, right);
        var pairs = _pairs;
        for (var slot = Slot(pair); ; slot = (slot + 1) & (pairs.Length - 1))
        {
            var found = pairs[slot];
            if (found == pair)
                return _results[slot];
            if (found == Empty)
                return None;
        }
    }

    /// <summary>Every id that some merge makes.</summary>
    public HashSet<int> Results()
    {
        var results = new HashSet<int>();
        for (var slot = 0; slot < _pairs.Length; slot++)
        {
            if (_pairs[slot] != Empty)
                results.Add((int)(uint)_results[slot]);
        }
        return results;
    }

    /// <summary>Whether any merge has one of these ids on either side.</summary>
    public bool Uses(IReadOnlyCollection<int> ids)
    {
        var set = ids.ToHashSet();
        return Array.Exists(_pairs, pair => pair != Empty && (set.Contains((int)(pair >> 32)) || set.Contains((int)(uint)pair)));
    }

    private static ulong Pair(int left, int right) => ((ulong)(uint)left << 32) | (uint)right;

    private int Slot(ulong pair) => (int)((pair * 0x9E3779B97F4A7C15UL) >> _shift);
}
