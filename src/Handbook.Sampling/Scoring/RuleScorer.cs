namespace Handbook.Sampling.Scoring;

/// <summary>Scores with one of the rules of <see cref="RuleTable"/>.</summary>
/// <param name="check">The rule.</param>
public sealed class RuleScorer(Func<PromptAnswer, double> check) : IScorer
{
    /// <inheritdoc/>
    public Task<IReadOnlyList<double?>> ScoreAsync(IReadOnlyList<PromptAnswer> answers, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        return Task.FromResult<IReadOnlyList<double?>>([.. answers.Select(answer => (double?)check(answer))]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // A rule holds nothing.
    }
}
