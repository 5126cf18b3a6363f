namespace Handbook.Chat.Inspection;

/// <summary>A dataset in numbers.</summary>
public sealed record InspectionSummary
{
    private readonly int[] _lengths = [];

    /// <summary>Tokens of each example, in any order; of a pair its prompt and its longer completion.</summary>
    public required IReadOnlyList<int> Lengths
    {
        get => _lengths;
        init => _lengths = [.. value.Order()];
    }

    /// <summary>Examples counted.</summary>
    public int ExampleCount => _lengths.Length;

    /// <summary>Tokens that are trained on.</summary>
    public required long TokenCount { get; init; }

    /// <summary>Tokens of those that count in the loss.</summary>
    public required long LabelCount { get; init; }

    /// <summary>Examples without any label.</summary>
    public int Unlabelled { get; init; }

    /// <summary>Examples that are cut because they are longer than a limit.</summary>
    public int Truncated { get; init; }

    /// <summary>Examples left out: bad rows, too long where the recipe drops those, or with nothing left of a completion.</summary>
    public int Dropped { get; init; }

    /// <summary>Examples removed by the recipe's cleaning rules.</summary>
    public int Removed { get; init; }

    /// <summary>Problems and how many examples have each, most frequent first.</summary>
    public IReadOnlyList<(string Problem, int Count)> Problems { get; init; } = [];

    /// <summary>Share of tokens that are labels, from 0 to 1.</summary>
    public double LabelShare => TokenCount == 0 ? 0 : (double)LabelCount / TokenCount;

    /// <summary>The length that the given share of examples does not exceed; 0 when there is none.</summary>
    /// <param name="share">From 0 (the shortest) to 1 (the longest).</param>
    public int Percentile(double share) =>
        _lengths.Length == 0 ? 0 : _lengths[Math.Clamp((int)Math.Ceiling(share * _lengths.Length) - 1, 0, _lengths.Length - 1)];

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
