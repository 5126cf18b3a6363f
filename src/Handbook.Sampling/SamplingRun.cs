using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Handbook.Sampling.Endpoints;
using Handbook.Sampling.Scoring;
using Handbook.Training.Progress;
using Handbook.Training.Runs;

namespace Handbook.Sampling;

/// <summary>
/// Rejection sampling: several completions to every prompt, all of them scored, the best kept as an SFT set and pairs of better and worse
/// ones as a preference set. First everything is sampled, then everything scored, so that policy and reward model are never in
/// memory together; both go on where they ended when they are stopped.
/// </summary>
public sealed class SamplingRun(SampleOptions options, ITrainingProgress progress, TimeProvider clock)
{
    /// <summary>Samples and scores what is left to do, and writes the sets and the report.</summary>
    /// <exception cref="UserErrorException">A mistake in the recipe, the data or the files.</exception>
    /// <exception cref="Endpoints.EndpointException">An endpoint failed for good; what was made is kept.</exception>
    public async Task<SamplingResult> ExecuteAsync(CancellationToken stop)
    {
        var defaults = ModelDefaults.Of(options.Policy, options.Settings);
        options = options with { Settings = defaults.Settings };
        options.Settings.Sampling.Check();
        using var claim = OutputFolder.Claim(options.OutputDirectory);
        var sets = new SampledSets(options.OutputDirectory);
        claim.RefuseStrangers(Journal.FolderName,
            new[] { sets.Candidates, sets.Sft, sets.Preferences, sets.Report }.Select(path => Path.GetFileName(path)));
        foreach (var written in new[] { sets.Candidates, sets.Sft, sets.Preferences })
            OutputFile.RefuseInputs("output_dir:", written, PromptReader.Files(options.Prompts));
        var prompts = PromptReader.Read(options.Prompts);
        options.Policy.Check();
        foreach (var scorer in options.Scorers)
            scorer.Check(prompts);
        progress.Begin("sample", Facts(prompts.Count, defaults));
        if (defaults.Remark is { } remark)
            progress.Note(remark);
        var key = CompletionsKey(prompts);
        // A server's completions know nothing of blocks: what it gave before it failed is kept prompt by prompt.
        using var completions = Open("completions", key, prompts.Count, options.Policy.Endpoint is null ? options.PromptsPerBlock : 1);
        await SampleAsync(prompts, completions, stop).ConfigureAwait(false);
        var sampled = completions.Rows.Select(CandidateGroup.FromJson).ToList();
        // How completions share rows with others moves a reward model's last digits, so blocks are part of what decides a score.
        using var scores = Open("scores",
            Journal.Key(["scores 2", key, FormattableString.Invariant($"{options.PromptsPerBlock}"),
                .. options.Scorers.Select(scorer => scorer.Identity())]), prompts.Count, options.PromptsPerBlock);
        await new ScoringPass(options, progress, clock).RunAsync(prompts, sampled, scores, stop).ConfigureAwait(false);
        var groups = prompts.Select((prompt, i) => CandidateGroup.Of(prompt, sampled[i], ScoringPass.Scores(scores.Rows[i]),
            [.. options.Scorers.Select(scorer => scorer.Weight)])).ToList();
        var result = Write(groups, scores.Rows.Select(ScoringPass.WhyUnrated).FirstOrDefault(why => why is not null));
        progress.End();
        return result;
    }

    private Journal Open(string name, string key, int total, int block) => Journal.Open(options.OutputDirectory, name, key, block, total);

    private string CompletionsKey(IReadOnlyList<PromptRow> prompts)
    {
        var settings = options.Settings;
        return Journal.Key(
        [
            "completions 1", options.Policy.Identity(),
            settings with { StopStrings = [] } + string.Join('\n', settings.StopStrings.Select(stop => $"{stop.Length} {stop}")),
            FormattableString.Invariant($"{options.Seed}"),
            .. prompts.Select(prompt => JsonLines.Turns(prompt.Turns).ToJsonString()),
            .. prompts.Select(prompt => prompt.Id + Encoding.UTF8.GetString(prompt.Row.Span)),
        ]);
    }

    private async Task SampleAsync(IReadOnlyList<PromptRow> prompts, Journal journal, CancellationToken stop)
    {
        var blocks = new PromptBlocks("sampling", "answers", journal, options.PromptsPerBlock, progress, clock);
        await blocks.RunAsync(prompts, options.Settings.Count, () => options.Policy.Open(clock, progress.Note),
            async (sampler, block, finished) =>
        {
            var asked = block.Select(prompt => new SamplePrompt(prompt.Turns,
                Seeds.Of((ulong)options.Seed, prompt.Index)) { Template = prompt.Template }).ToList();
            try
            {
                return
                [
                    .. block.Zip(await sampler.SampleAsync(asked, options.Settings, finished, stop).ConfigureAwait(false),
                        CandidateGroup.ToJson),
                ];
            }
            catch (EndpointException error) when (error.Finished.Count > 0)
            {
                journal.Append([.. block.Zip(error.Finished, CandidateGroup.ToJson)]);
                throw;
            }
        }, stop).ConfigureAwait(false);
    }

    private SamplingResult Write(IReadOnlyList<CandidateGroup> groups, string? whyUnrated)
    {
        var selection = new Selection(options.Selection);
        var sets = new SampledSets(options.OutputDirectory);
        sets.Write(groups, selection, [.. options.Scorers.Select(scorer => scorer.Name)]);
        var statistics = SamplingStatistics.Of(groups, selection);
        var report = new SamplingReport(statistics, groups, options);
        report.ToPage().Save(sets.Report);
        foreach (var remark in Remarks(statistics, groups, whyUnrated))
            progress.Note(remark);
        return new SamplingResult(sets, statistics, report);
    }

    private IEnumerable<string> Remarks(SamplingStatistics statistics, IReadOnlyList<CandidateGroup> groups, string? whyUnrated)
    {
        if (!options.Selection.KeepTruncated && 2 * statistics.Truncated > statistics.Candidates)
        {
            yield return string.Create(CultureInfo.InvariantCulture,
                $"{statistics.Truncated} of {Quantity.Of(statistics.Candidates, "answer was", "answers were")} cut off at max_new_tokens "
                    + $"({options.Settings.MaxNewTokens}), so that they can only be rejected; "
                    + $"allow more tokens, or set keep_truncated to true");
        }
        if (statistics.Unscored > 0)
            yield return string.Create(CultureInfo.InvariantCulture,
                $"{statistics.Unscored} of {Quantity.Of(statistics.Candidates, "answer has", "answers have")} no score and "
                    + $"{Quantity.Word(statistics.Unscored, "is", "are")} left out of the sets");
        if (whyUnrated is not null)
            yield return $"a judge gave no verdict on some answers: {whyUnrated}; the same command asks it again for those";
        if (groups.FirstOrDefault(group => group.Refusal is not null) is { } refused)
            yield return string.Create(CultureInfo.InvariantCulture,
                $"{Quantity.Of(statistics.Refused, "prompt was", "prompts were")} not "
                    + $"completed; prompt {refused.Prompt.Id}: {refused.Refusal}");
    }

    private List<(string Name, string Value)> Facts(int prompts, ModelDefaults defaults) =>
    [
        ("policy", options.Policy.Name),
        ("prompts", FormattableString.Invariant($"{prompts} of {options.Prompts.Dataset}")),
        ("answers", string.Create(CultureInfo.InvariantCulture,
            $"{options.Settings.Count} a prompt, temperature {options.Settings.Sampling.Temperature}, at most "
                + $"{Quantity.Of(options.Settings.MaxNewTokens, "token")}")),
        .. defaults.Fact is { } fact ? new[] { ("from the model", fact) } : [],
        ("scored by",
            string.Join(" + ",
                options.Scorers.Select(scorer => scorer.Weight == 1
                    ? scorer.Name : FormattableString.Invariant($"{scorer.Weight} x {scorer.Name}")))),
        .. Questions(prompts),
        .. EndpointOptions.KeyFacts([options.Policy.Endpoint, .. options.Scorers.Select(scorer => scorer.Judge?.Endpoint)]),
        ("output", options.OutputDirectory),
    ];

    /// <summary>What a judge of pairs costs, which grows with the square of the completions.</summary>
    private IEnumerable<(string Name, string Value)> Questions(int prompts) =>
        options.Scorers.Any(scorer => scorer.Name == ScorerOptions.PairwiseJudgeName)
            ? [("comparisons",
                string.Create(CultureInfo.InvariantCulture,
                    $"up to {PairwiseJudgeScorer.QuestionCount(options.Settings.Count)} a prompt, "
                        + $"{(long)prompts * PairwiseJudgeScorer.QuestionCount(options.Settings.Count)} in all"))] : [];
}

/// <summary>What sampling ended with.</summary>
/// <param name="Sets">The files.</param>
/// <param name="Statistics">The numbers.</param>
/// <param name="Report">Table and page.</param>
public sealed record SamplingResult(SampledSets Sets, SamplingStatistics Statistics, SamplingReport Report);
