namespace Handbook.Sampling;

/// <summary>What is taken of a prompt's completions.</summary>
public sealed record SelectionOptions
{
    /// <summary>The best completions that go into the SFT set.</summary>
    public int KeepBest { get; init; } = 1;

    /// <summary>The least score of a completion that is kept or chosen; null for any.</summary>
    public double? MinScore { get; init; }

    /// <summary>Preference pairs a prompt, those of the largest margin first: one is the best against the worst.</summary>
    public int PairsPerPrompt { get; init; } = 1;

    /// <summary>The least margin of a pair; equal scores never make one.</summary>
    public double MinMargin { get; init; }

    /// <summary>Whether a completion that was cut off at its most tokens may be kept or chosen; it may always be rejected.</summary>
    public bool KeepTruncated { get; init; }
}

/// <summary>A better and a worse completion to one prompt.</summary>
/// <param name="Chosen">The better.</param>
/// <param name="Rejected">The worse.</param>
public sealed record CandidatePair(Candidate Chosen, Candidate Rejected)
{
    /// <summary>How much better.</summary>
    public double Margin => Chosen.Score!.Value - Rejected.Score!.Value;
}

/// <summary>Best-of-n and preference pairs out of scored completions. Of equal scores the earlier sample comes first.</summary>
/// <param name="options">What is taken.</param>
public sealed class Selection(SelectionOptions options)
{
    /// <summary>The completions that go into the SFT set, the best first; the same text is taken once.</summary>
    public IReadOnlyList<Candidate> Best(CandidateGroup group) =>
        [.. Ranked(group).Where(MayWin).DistinctBy(candidate => candidate.Completion.Said).Take(options.KeepBest)];

    /// <summary>The preference pairs, the largest margin first.</summary>
    public IReadOnlyList<CandidatePair> Pairs(CandidateGroup group)
    {
        if (options.PairsPerPrompt == 0)
            return [];
        var ranked = Ranked(group).DistinctBy(candidate => candidate.Completion.Said).ToList();
        var pairs = ranked.Where(MayWin).SelectMany(chosen => ranked.Select(rejected => new CandidatePair(chosen, rejected)));
        return
        [
            .. pairs.Where(pair => pair.Margin > 0 && pair.Margin >= options.MinMargin)
                .OrderByDescending(pair => pair.Margin).ThenBy(pair => pair.Chosen.Sample).ThenBy(pair => pair.Rejected.Sample)
                .Take(options.PairsPerPrompt),
        ];
    }

    private static IEnumerable<Candidate> Ranked(CandidateGroup group) =>
        group.Candidates.Where(candidate => candidate.Score is not null).OrderByDescending(candidate => candidate.Score)
            .ThenBy(candidate => candidate.Sample);

    private bool MayWin(Candidate candidate) =>
        (options.KeepTruncated || !candidate.Completion.IsTruncated) && !candidate.Completion.IsEmpty
            && (options.MinScore is not { } least || candidate.Score >= least);
}
