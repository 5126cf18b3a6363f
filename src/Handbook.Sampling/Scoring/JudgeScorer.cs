namespace Handbook.Sampling.Scoring;

/// <summary>
/// Scores by asking another model for a rating. Each completion is rated alone, never beside another one, so that no completion gains
/// from the place it stands at.
/// </summary>
/// <param name="judge">Who is asked.</param>
/// <param name="options">What is asked.</param>
public sealed class JudgeScorer(ISampler judge, JudgeOptions options) : IScorer
{
    private readonly JudgeDialogue dialogue = new(judge, options);

    /// <inheritdoc/>
    public string? Missing => dialogue.Missing;

    /// <inheritdoc/>
    public async Task<IReadOnlyList<double?>> ScoreAsync(IReadOnlyList<PromptCompletion> completions, CancellationToken stop)
    {
        var scores = completions.Select(completion => completion.Known).ToArray();
        var open = Enumerable.Range(0, scores.Length).Where(i => scores[i] is null).ToList();
        var ratings = await dialogue.AskAsync(
            [.. open.Select(i => Question(completions[i]))], said => JudgeVerdict.Parse(said, options.MinScore, options.MaxScore),
            dialogue.Fill("Give only the rating, from {min_score} to {max_score}, in exactly this form: Rating: [[N]]"), stop)
            .ConfigureAwait(false);
        foreach (var (number, i) in open.Index())
            scores[i] = ratings[number];
        return scores;
    }

    /// <inheritdoc/>
    public void Dispose() => judge.Dispose();

    private string Question(PromptCompletion completion) =>
        dialogue.Question(options.Template, completion.Prompt, name => name == "answer" ? completion.Completion.Said : null);
}
