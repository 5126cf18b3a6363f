namespace Handbook.Sampling.Scoring;

/// <summary>Scores with one of the rules of <see cref="RuleTable"/>.</summary>
/// <param name="check">The rule.</param>
public sealed class RuleScorer(Func<PromptCompletion, double> check) : IScorer
{
    /// <inheritdoc/>
    public Task<IReadOnlyList<double?>> ScoreAsync(IReadOnlyList<PromptCompletion> completions, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        return Task.FromResult<IReadOnlyList<double?>>([.. completions.Select(completion => (double?)check(completion))]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // A rule holds nothing.
    }
}
