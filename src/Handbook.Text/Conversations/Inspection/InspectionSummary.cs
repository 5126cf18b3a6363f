namespace Handbook.Text.Conversations.Inspection;

/// <summary>A dataset in numbers, gathered example by example.</summary>
public sealed class InspectionSummary
{
    private readonly List<int> _lengths = [];

    /// <summary>Examples counted.</summary>
    public int ExampleCount => _lengths.Count;

    /// <summary>Tokens of all examples.</summary>
    public long TokenCount { get; private set; }

    /// <summary>Tokens that count in the loss.</summary>
    public long LabelCount { get; private set; }

    /// <summary>Examples without any label.</summary>
    public int Unlabelled { get; private set; }

    /// <summary>Examples longer than the limit, which are cut or split.</summary>
    public int Truncated { get; private set; }

    /// <summary>Examples left out: broken rows, refused by the template, or too long where the recipe drops those.</summary>
    public int Dropped { get; private set; }

    /// <summary>Problems and how many examples have each, most frequent first.</summary>
    public IReadOnlyList<(string Problem, int Count)> Problems => [.. _problems.OrderByDescending(entry => entry.Value).Select(entry => (entry.Key, entry.Value))];

    private readonly Dictionary<string, int> _problems = new(StringComparer.Ordinal);

    /// <summary>Share of tokens that are labels, from 0 to 1.</summary>
    public double LabelShare => TokenCount == 0 ? 0 : (double)LabelCount / TokenCount;

    /// <summary>Counts an example.</summary>
    /// <param name="example">The example, whole.</param>
    /// <param name="maxLength">The recipe's limit in tokens; null for none.</param>
    /// <param name="dropsOverlong">Whether examples beyond the limit are left out rather than cut.</param>
    public void Add(InspectedExample example, int? maxLength, bool dropsOverlong = false)
    {
        // The parts of a pair after its prompt stand beside each other: the row is as long as the longer one.
        var length = example.Parts.Count <= 1 ? example.TokenCount : example.Parts[0].Tokens.Count + example.Parts.Skip(1).Max(part => part.Tokens.Count);
        _lengths.Add(length);
        TokenCount += example.TokenCount;
        LabelCount += example.LabelCount;
        Unlabelled += example.LabelCount == 0 ? 1 : 0;
        if (length > maxLength && dropsOverlong)
            Dropped++;
        else if (length > maxLength)
            Truncated++;
        foreach (var problem in example.Problems)
            Count(problem);
    }

    /// <summary>Counts an example that could not be made into tokens.</summary>
    /// <param name="reason">Why.</param>
    public void AddDropped(string reason)
    {
        Dropped++;
        Count(reason);
    }

    private void Count(string problem) => _problems[problem] = _problems.GetValueOrDefault(problem) + 1;

    /// <summary>The length that the given share of examples does not exceed; 0 when there is none.</summary>
    /// <param name="share">From 0 (the shortest) to 1 (the longest).</param>
    public int Percentile(double share)
    {
        if (_lengths.Count == 0)
            return 0;
        _lengths.Sort();
        return _lengths[Math.Clamp((int)Math.Ceiling(share * _lengths.Count) - 1, 0, _lengths.Count - 1)];
    }

    /// <summary>Examples by length in <paramref name="count"/> equal ranges from 0 to the longest.</summary>
    public IReadOnlyList<int> Histogram(int count)
    {
        var bins = new int[count];
        var longest = Math.Max(1, Percentile(1));
        foreach (var length in _lengths)
            bins[Math.Min(count - 1, (int)((long)length * count / (longest + 1)))]++;
        return bins;
    }
}
