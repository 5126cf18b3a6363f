using System.Runtime.InteropServices;

namespace Handbook.Tokenizers.Training;

/// <summary>A word of the corpus as symbols, and how often it occurs.</summary>
internal sealed class CountedWord(int[] symbols, long count)
{
    private int _length = symbols.Length;

    /// <summary>Occurrences.</summary>
    public long Count => count;

    /// <summary>The symbols now.</summary>
    public ReadOnlySpan<int> Symbols => symbols.AsSpan(0, _length);

    /// <summary>Merges every (left, right) from left to right and reports each pair that appears (+1) or goes (-1).</summary>
    public void Merge(int left, int right, int merged, List<(long Pair, int Change)> changes)
    {
        var write = 0;
        for (var read = 0; read < _length; read++)
        {
            if (symbols[read] != left || read + 1 == _length || symbols[read + 1] != right)
            {
                symbols[write++] = symbols[read];
                continue;
            }
            if (write > 0)
            {
                changes.Add((MergeLearner.Pair(symbols[write - 1], left), -1));
                changes.Add((MergeLearner.Pair(symbols[write - 1], merged), 1));
            }
            read++;
            if (read + 1 < _length)
            {
                changes.Add((MergeLearner.Pair(right, symbols[read + 1]), -1));
                changes.Add((MergeLearner.Pair(merged, symbols[read + 1]), 1));
            }
            symbols[write++] = merged;
        }
        _length = write;
    }
}

/// <summary>Learns merges from counted words.</summary>
/// <param name="words">The words; they are changed.</param>
/// <param name="tokens">Tokens by id; merges append theirs.</param>
internal sealed class MergeLearner(List<CountedWord> words, List<string> tokens)
{
    private readonly Dictionary<long, long> _counts = [];
    private readonly Dictionary<long, List<int>> _places = [];
    private readonly PriorityQueue<Candidate, Candidate> _queue = new(Comparer<Candidate>.Create(Candidate.Compare));

    /// <summary>Two ids as one number that sorts as they do.</summary>
    public static long Pair(int left, int right) => ((long)left << 32) | (uint)right;

    /// <summary>The merges in order of rank.</summary>
    public List<(int Left, int Right)> Learn(int vocabSize, long minFrequency)
    {
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var id = 0; id < tokens.Count; id++)
            ids[tokens[id]] = id;
        CountPairs();
        // A pair can come up again where a token is made in two ways; its last rank holds, as in the library.
        var ranks = new Dictionary<long, int>();
        var changes = new List<(long Pair, int Change)>();
        for (var rank = 0; tokens.Count < vocabSize && _queue.TryDequeue(out var top, out _);)
        {
            if (top.Count != _counts[top.Pair])
            {
                Enqueue(top with { Count = _counts[top.Pair] });
                continue;
            }
            if (top.Count < 1 || top.Count < minFrequency)
                break;
            var (left, right) = ((int)(top.Pair >> 32), (int)top.Pair);
            var token = tokens[left] + tokens[right];
            if (!ids.TryGetValue(token, out var merged))
            {
                ids[token] = merged = tokens.Count;
                tokens.Add(token);
            }
            ranks[top.Pair] = rank++;
            MergeEverywhere(top.Words, left, right, merged, changes);
        }
        return ranks.OrderBy(entry => entry.Value).Select(entry => ((int)(entry.Key >> 32), (int)entry.Key)).ToList();
    }

    private void CountPairs()
    {
        for (var index = 0; index < words.Count; index++)
        {
            var symbols = words[index].Symbols;
            for (var i = 0; i + 1 < symbols.Length; i++)
                Count(Pair(symbols[i], symbols[i + 1]), words[index].Count, index, isNew: true);
        }
        EnqueuePlaces();
    }

    private void MergeEverywhere(List<int> places, int left, int right, int merged, List<(long Pair, int Change)> changes)
    {
        foreach (var index in places)
        {
            changes.Clear();
            words[index].Merge(left, right, merged, changes);
            foreach (var (pair, change) in changes)
                Count(pair, change * words[index].Count, index, change > 0);
        }
        EnqueuePlaces();
    }

    /// <summary>Changes a pair's count; a pair that is new in a word notes the word, once.</summary>
    private void Count(long pair, long change, int word, bool isNew)
    {
        CollectionsMarshal.GetValueRefOrAddDefault(_counts, pair, out _) += change;
        if (!isNew)
            return;
        ref var places = ref CollectionsMarshal.GetValueRefOrAddDefault(_places, pair, out _);
        places ??= [];
        if (places.Count == 0 || places[^1] != word)
            places.Add(word);
    }

    private void EnqueuePlaces()
    {
        foreach (var (pair, places) in _places)
        {
            if (_counts[pair] > 0)
                Enqueue(new Candidate(pair, _counts[pair], places));
        }
        _places.Clear();
    }

    private void Enqueue(Candidate candidate) => _queue.Enqueue(candidate, candidate);

    /// <summary>A pair, its count when it was queued, and the words it is in.</summary>
    private sealed record Candidate(long Pair, long Count, List<int> Words)
    {
        /// <summary>Most frequent first, then by ids.</summary>
        public static int Compare(Candidate? one, Candidate? other)
        {
            var byCount = other!.Count.CompareTo(one!.Count);
            return byCount != 0 ? byCount : one.Pair.CompareTo(other.Pair);
        }
    }
}
