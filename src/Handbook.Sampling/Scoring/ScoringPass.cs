using System.Globalization;
using System.Text.Json.Nodes;
using Handbook.Training.Progress;

namespace Handbook.Sampling.Scoring;

/// <summary>
/// Scores what was sampled. What a judge gave no verdict on is written down as such, and never as a score: when the same command is
/// given again, after a repair, it is asked for those completions anew. A judge that gives no verdict at all ends the run.
/// </summary>
internal sealed class ScoringPass(SampleOptions options, ITrainingProgress progress, TimeProvider clock)
{
    /// <summary>Completions without any verdict after which the judge is to blame.</summary>
    private const int Patience = 32;
    private const string Unrated = "unrated";

    /// <summary>Scores what is left to do.</summary>
    /// <param name="prompts">All prompts.</param>
    /// <param name="sampled">What was sampled for each.</param>
    /// <param name="journal">What was scored.</param>
    /// <param name="stop">Ends it early.</param>
    /// <exception cref="MachineException">A judge gives no verdict on anything.</exception>
    public async Task RunAsync(
        IReadOnlyList<PromptRow> prompts, IReadOnlyList<SampledPrompt> sampled, Journal journal, CancellationToken stop)
    {
        using var scorers = new OpenScorers(options, clock, progress.Note);
        await AskAgainAsync(scorers, prompts, sampled, journal, stop).ConfigureAwait(false);
        var blocks = new PromptBlocks("scoring", "answers", journal, options.PromptsPerBlock, progress, clock);
        await blocks.RunAsync(prompts, options.Settings.Count, () => scorers, async (_, block, _) =>
        {
            var rows = await ScoreAsync(scorers, block, sampled, null, stop).ConfigureAwait(false);
            GiveUpWhereNothingIsRated([.. journal.Rows, .. rows], prompts.Count);
            return rows;
        }, stop).ConfigureAwait(false);
    }

    /// <summary>A prompt's scores: by completion, then by scorer.</summary>
    public static double?[][] Scores(JsonObject row) =>
        [.. row["scores"]!.AsArray().Select(completion => completion!.AsArray().Select(score => (double?)score).ToArray())];

    /// <summary>Why a prompt's completions lack a verdict; null when they do not.</summary>
    public static string? WhyUnrated(JsonObject row) => row[Unrated]?.GetValue<string>().TrimEnd('.');

    private async Task AskAgainAsync(
        OpenScorers scorers, IReadOnlyList<PromptRow> prompts, IReadOnlyList<SampledPrompt> sampled, Journal journal,
        CancellationToken stop)
    {
        var rows = journal.Rows.ToList();
        var open = Enumerable.Range(0, rows.Count).Where(i => WhyUnrated(rows[i]) is not null).ToList();
        if (open.Count == 0)
            return;
        progress.Note(FormattableString.Invariant(
            $"scoring: a judge gave no verdict on answers to {open.Count} of {Quantity.Of(rows.Count, "prompt")} and is asked again"));
        foreach (var block in open.Chunk(options.PromptsPerBlock))
        {
            stop.ThrowIfCancellationRequested();
            var again = await ScoreAsync(scorers, [.. block.Select(i => prompts[i])], sampled, i => Scores(rows[i]), stop)
                .ConfigureAwait(false);
            foreach (var (number, i) in block.Index())
                rows[i] = again[number];
            GiveUpWhereNothingIsRated(rows, prompts.Count);
            journal.Replace(rows);
        }
    }

    /// <summary>Scores a block of prompts.</summary>
    /// <param name="scorers">The scorers.</param>
    /// <param name="block">The prompts.</param>
    /// <param name="sampled">What was sampled for all prompts.</param>
    /// <param name="known">A prompt's scores of before; only what a judge left out is asked for. Null: everything is.</param>
    /// <param name="stop">Ends it early.</param>
    private async Task<IReadOnlyList<JsonObject>> ScoreAsync(
        OpenScorers scorers, IReadOnlyList<PromptRow> block, IReadOnlyList<SampledPrompt> sampled, Func<int, double?[][]>? known,
        CancellationToken stop)
    {
        var before = known is null ? null : block.SelectMany(prompt => known(prompt.Index)).ToList();
        var completions = block.SelectMany(
            prompt => sampled[prompt.Index].Completions.Select(completion => PromptCompletion.Of(prompt, completion))).ToList();
        var byScorer = new List<IReadOnlyList<double?>>();
        string? missing = null;
        foreach (var (i, scorer) in options.Scorers.Index())
        {
            if (before is not null && scorer.Judge is null)
            {
                byScorer.Add([.. before.Select(scores => scores[i])]);
                continue;
            }
            var asked = before is null
                ? completions
                : [.. completions.Zip(before, (completion, scores) => completion with { Known = scores[i] })];
            byScorer.Add(asked.Count == 0 ? [] : await scorers[i].ScoreAsync(asked, stop).ConfigureAwait(false));
            missing ??= byScorer[^1].Any(score => score is null) ? scorers[i].Missing : null;
        }
        var next = 0;
        return
        [
            .. block.Select(prompt => Row(prompt,
                [.. sampled[prompt.Index].Completions.Select(_ => next++).Select(i => byScorer.Select(scores => scores[i]).ToArray())],
                missing)),
        ];
    }

    private JsonObject Row(PromptRow prompt, IReadOnlyList<double?[]> completions, string? missing)
    {
        var row = new JsonObject
        {
            ["prompt_id"] = prompt.Id,
            ["scores"] = new JsonArray([.. completions.Select(scores => new JsonArray([.. scores.Select(score => score is { } value
                && double.IsFinite(value) ? JsonValue.Create(value) : null)]))]),
        };
        if (missing is not null && completions.Any(scores => Judges.Any(judge => scores[judge] is null)))
            row[Unrated] = missing;
        return row;
    }

    private IEnumerable<int> Judges => Enumerable.Range(0, options.Scorers.Count).Where(i => options.Scorers[i].Judge is not null);

    private void GiveUpWhereNothingIsRated(IReadOnlyList<JsonObject> rows, int total)
    {
        var completions = rows.SelectMany(Scores).ToList();
        if (completions.Count == 0 || completions.Count < Patience && rows.Count < total
            || rows.FirstOrDefault(row => WhyUnrated(row) is not null) is not { } first)
            return;
        foreach (var judge in Judges.Where(judge => completions.TrueForAll(scores => scores[judge] is null)))
        {
            throw new MachineException(string.Create(CultureInfo.InvariantCulture,
                $"scoring: {options.Scorers[judge].Name} rated none of the first {Quantity.Of(completions.Count, "answer")}: "
                    + $"{WhyUnrated(first)}. The answers are kept: once the judge is repaired, the same command scores them."));
        }
    }

    /// <summary>Scorers that are opened when they are first asked.</summary>
    private sealed class OpenScorers(SampleOptions options, TimeProvider clock, Action<string> note) : IDisposable
    {
        private readonly IScorer?[] open = new IScorer?[options.Scorers.Count];

        public IScorer this[int i] => open[i] ??= options.Scorers[i].Open(clock, note, options.Prompts.SkipBadRows);

        public void Dispose()
        {
            foreach (var scorer in open)
                scorer?.Dispose();
        }
    }
}
