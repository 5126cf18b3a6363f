using Handbook.Autograd;
using Handbook.Chat;
using Handbook.Models;
using Handbook.Torch;
using Handbook.Training.Options;

namespace Handbook.Sampling.Scoring;

/// <summary>
/// Scores with a reward model (a sequence classifier of one label): a prompt followed by all its completions is one stretch of a packed
/// row, so that it is computed once and nothing is padded.
/// </summary>
public sealed class RewardModelScorer : IScorer
{
    /// <summary>Tokens of a row; a longer stretch has a row of its own.</summary>
    private const int RowTokens = 4096;

    private readonly string folder;
    private readonly SequenceClassifier model;
    private readonly ConversationTokenizer conversations;

    /// <summary>Loads a reward model with the tokenizer beside it.</summary>
    /// <exception cref="UserErrorException">The folder is broken, or holds a model without a score.</exception>
    public RewardModelScorer(string folder, TokenizerOptions? tokenizer = null, DType? dtype = null, Device device = default)
    {
        this.folder = folder;
        conversations = PolicyOptions.Conversations(tokenizer?.NameOrPath ?? folder, tokenizer ?? new TokenizerOptions());
        ModelRoles.CheckRewardModel(folder);
        model = SequenceClassifier.Load(folder, dtype, device: device);
    }

    /// <summary>Whether completions to a prompt that the model's template refuses have no score, instead of ending the run.</summary>
    public bool SkipsRefused { get; init; }

    /// <summary>Hears of each prompt that is left without a score.</summary>
    public Action<string>? Note { get; init; }

    /// <inheritdoc/>
    public Task<IReadOnlyList<double?>> ScoreAsync(IReadOnlyList<PromptCompletion> completions, CancellationToken stop)
    {
        var scores = new double?[completions.Count];
        var row = new RewardRow();
        foreach (var stretch in Stretches(completions))
        {
            stop.ThrowIfCancellationRequested();
            if (row.Ids.Count > 0 && row.Ids.Count + stretch.Length > RowTokens)
                row = Flush(row, scores);
            row.Add(stretch);
        }
        Flush(row, scores);
        return Task.FromResult<IReadOnlyList<double?>>(scores);
    }

    /// <inheritdoc/>
    public void Dispose() => model.Dispose();

    /// <summary>
    /// Completions that follow the same prompt tokens, together. A completion of no token, or beyond the model's positions, is left out.
    /// </summary>
    private IEnumerable<Stretch> Stretches(IReadOnlyList<PromptCompletion> completions)
    {
        Stretch? open = null;
        string? refused = null;
        foreach (var (place, asked) in completions.Index())
        {
            if (refused == asked.Prompt.Id)
                continue;
            int[] prompt, completion;
            try
            {
                (prompt, completion) = Tokenize(asked);
            }
            catch (UserErrorException error) when (SkipsRefused)
            {
                Note?.Invoke($"{error.Message.TrimEnd('.')}; its answers have no score");
                refused = asked.Prompt.Id;
                continue;
            }
            if (completion.Length == 0 || prompt.Length + completion.Length > model.Config.MaxPositions)
                continue;
            if (open is not null && !open.Prompt.AsSpan().SequenceEqual(prompt))
            {
                yield return open;
                open = null;
            }
            (open ??= new Stretch(prompt, [])).Completions.Add((place, completion));
        }
        if (open is not null)
            yield return open;
    }

    private (int[] Prompt, int[] Completion) Tokenize(PromptCompletion completion)
    {
        var turns = completion.Prompt.Turns;
        try
        {
            var tokens = turns.Text is { } text
                ? conversations.Pairs.Tokenize(text, completion.Text)
                : conversations.Pairs.Tokenize(turns.Messages!, [completion.Completion.AsMessage()], completion.Prompt.Template.Tools,
                    completion.Prompt.Template.Arguments);
            return (tokens.Prompt, tokens.Completion);
        }
        catch (UserErrorException refused)
        {
            // The policy's template may take what this model's refuses, so that sampling did not find it.
            throw new UserErrorException($"reward_model:{folder}: prompt {completion.Prompt.Id} cannot be scored: {refused.Message}",
                refused);
        }
    }

    private RewardRow Flush(RewardRow row, double?[] scores)
    {
        if (row.Ids.Count == 0)
            return row;
        using var scope = new TensorScope();
        using var tape = new Tape(isRecording: false);
        var values = model.Forward(tape, row.Ids.ToArray(), new SequenceLayout([.. row.Segments]), row.Ends.ToArray()).Value
            .Read<float>(DeviceWait.Predictions);
        foreach (var (number, place) in row.Places.Index())
            scores[place] = float.IsFinite(values[number]) ? Decimal(values[number]) : null;
        return new RewardRow();
    }

    // The shortest decimal of the float: 0.1 is kept as 0.1, not as 0.10000000149011612.
    private static double Decimal(float value) =>
        double.Parse(value.ToString("R", System.Globalization.CultureInfo.InvariantCulture),
            System.Globalization.CultureInfo.InvariantCulture);

    private sealed record Stretch(int[] Prompt, List<(int Place, int[] Completion)> Completions)
    {
        public int Length => Prompt.Length + Completions.Sum(completion => completion.Completion.Length);
    }

    private sealed class RewardRow
    {
        public List<int> Ids { get; } = [];

        public List<Segment> Segments { get; } = [];

        public List<int> Ends { get; } = [];

        public List<int> Places { get; } = [];

        public void Add(Stretch stretch)
        {
            var prefix = Segments.Count;
            Append(stretch.Prompt, new Segment(Ids.Count, stretch.Prompt.Length));
            foreach (var (place, completion) in stretch.Completions)
            {
                Append(completion, new Segment(Ids.Count, completion.Length, stretch.Prompt.Length, prefix));
                Ends.Add(Ids.Count - 1);
                Places.Add(place);
            }
        }

        private void Append(int[] ids, Segment segment)
        {
            Segments.Add(segment);
            Ids.AddRange(ids);
        }
    }
}
