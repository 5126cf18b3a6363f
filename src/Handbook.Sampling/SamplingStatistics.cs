using Handbook.Sampling.Scoring;

namespace Handbook.Sampling;

/// <summary>What sampling gave, in numbers.</summary>
public sealed record SamplingStatistics
{
    /// <summary>Prompts asked.</summary>
    public required int Prompts { get; init; }

    /// <summary>Prompts that could not be completed.</summary>
    public required int Refused { get; init; }

    /// <summary>Completions.</summary>
    public required int Candidates { get; init; }

    /// <summary>Completions that were cut off at their most tokens.</summary>
    public required int Truncated { get; init; }

    /// <summary>Completions that a scorer gave nothing for.</summary>
    public required int Unscored { get; init; }

    /// <summary>Prompts with a completion in the SFT set.</summary>
    public required int Accepted { get; init; }

    /// <summary>Scores of all completions, in their order.</summary>
    public required IReadOnlyList<double> Scores { get; init; }

    /// <summary>Scores of the completions in the SFT set.</summary>
    public required IReadOnlyList<double> BestScores { get; init; }

    /// <summary>The preference pairs.</summary>
    public required IReadOnlyList<CandidatePair> Pairs { get; init; }

    /// <summary>Expected score of the best of 1, 2 ... n completions, a mean over the prompts whose completions were all scored.</summary>
    public required IReadOnlyList<double> ExpectedBest { get; init; }

    /// <summary>Share of prompts with a completion in the SFT set.</summary>
    public double AcceptanceRate => (double)Accepted / Prompts;

    /// <summary>Mean words of chosen and rejected completions: a large difference teaches length.</summary>
    public (double Chosen, double Rejected) PairWords => Pairs.Count == 0 ? (0, 0)
        : (Pairs.Average(pair => RuleTable.WordCount(pair.Chosen.Completion.Text)),
            Pairs.Average(pair => RuleTable.WordCount(pair.Rejected.Completion.Text)));

    /// <summary>Counts.</summary>
    internal static SamplingStatistics Of(IReadOnlyList<CandidateGroup> groups, Selection selection)
    {
        var all = groups.SelectMany(group => group.Candidates).ToList();
        var best = groups.Select(selection.Best).ToList();
        return new SamplingStatistics
        {
            Prompts = groups.Count,
            Refused = groups.Count(group => group.Refusal is not null),
            Candidates = all.Count,
            Truncated = all.Count(candidate => candidate.Completion.IsTruncated),
            Unscored = all.Count(candidate => candidate.Score is null),
            Accepted = best.Count(kept => kept.Count > 0),
            Scores = [.. all.Select(candidate => candidate.Score).OfType<double>()],
            BestScores = [.. best.SelectMany(kept => kept).Select(candidate => candidate.Score!.Value)],
            Pairs = [.. groups.SelectMany(selection.Pairs)],
            ExpectedBest = Curve(groups),
        };
    }

    /// <summary>
    /// Expected largest of <paramref name="count"/> values drawn from these without putting back: the i-th smallest of n is the largest of
    /// them in C(i-1, count-1) of C(n, count) draws.
    /// </summary>
    public static double ExpectedLargest(IReadOnlyList<double> values, int count)
    {
        var sorted = values.Order().ToArray();
        var (expected, weight) = (0.0, (double)count / sorted.Length);
        for (var i = sorted.Length; i >= count; i--)
        {
            expected += weight * sorted[i - 1];
            weight *= i > 1 ? (double)(i - count) / (i - 1) : 0;
        }
        return expected;
    }

    private static double[] Curve(IReadOnlyList<CandidateGroup> groups)
    {
        var scores = groups.Select(group => group.Candidates.Select(candidate => candidate.Score).OfType<double>().ToList())
            .Where(list => list.Count > 0).ToList();
        var most = scores.Select(list => list.Count).DefaultIfEmpty(0).Max();
        var whole = scores.Where(list => list.Count == most).ToList();
        return [.. Enumerable.Range(1, most).Select(count => whole.Average(list => ExpectedLargest(list, count)))];
    }
}
