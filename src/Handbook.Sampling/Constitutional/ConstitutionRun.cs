using System.Globalization;
using Handbook.Data.Sources;
using Handbook.Training.Progress;
using Handbook.Training.Runs;

namespace Handbook.Sampling.Constitutional;

/// <summary>
/// Constitutional AI (arXiv:2212.08073): completions that the model itself criticised and revised under principles, as the SFT set and the
/// preference set that the original's recipes train on. It goes on where it ended when it is stopped.
/// </summary>
public sealed class ConstitutionRun(ConstitutionOptions options, ITrainingProgress progress, TimeProvider clock)
{
    /// <summary>Leads the dialogues that are left, and writes the sets and the report.</summary>
    /// <exception cref="UserErrorException">A mistake in the recipe, the data or the files.</exception>
    /// <exception cref="Endpoints.EndpointException">An endpoint failed for good; what was made is kept.</exception>
    public async Task<ConstitutionResult> ExecuteAsync(CancellationToken stop)
    {
        var defaults = ModelDefaults.Of(options.Policy, options.Settings);
        options = options with { Settings = defaults.Settings };
        options.Settings.Sampling.Check();
        using var claim = OutputFolder.Claim(options.OutputDirectory);
        claim.RefuseStrangers(Journal.FolderName, "train_sft.jsonl", "train_prefs.jsonl", "test_sft.jsonl",
            "test_prefs.jsonl", Reports.RunReport.FileName);
        List<(string Split, IReadOnlyList<PromptRow> Prompts)> splits = [("train", PromptReader.Read(options.Prompts))];
        if (options.TestDataset is { } test && RowSource.HasSplits(test, PromptReader.Resolvers))
            splits.Add(("test", PromptReader.Read(options.Prompts with { Dataset = test })));
        options.Policy.Check();
        progress.Begin("constitution", Facts(splits, defaults));
        if (defaults.Remark is { } remark)
            progress.Note(remark);
        var results = new List<RevisedSplit>();
        foreach (var (split, prompts) in splits)
            results.Add(new RevisedSplit(split, await ReviseAsync(split, prompts, stop).ConfigureAwait(false)));
        var result = Write(results);
        progress.End();
        return result;
    }

    private async Task<IReadOnlyList<RevisedCompletion>> ReviseAsync(string split, IReadOnlyList<PromptRow> prompts, CancellationToken stop)
    {
        var settings = options.Settings;
        var key = Journal.Key(
        [
            "revisions 1", options.Policy.Identity(),
            settings with { StopStrings = [], Count = 1 } + string.Join('\n', settings.StopStrings.Select(text => $"{text.Length} {text}")),
            FormattableString.Invariant($"{options.Seed} {options.RevisionRounds}"), options.Constitution.Identity(),
            .. prompts.Select(prompt => JsonLines.Turns(prompt.Turns).ToJsonString()),
        ]);
        using var journal = Journal.Open(options.OutputDirectory, "revisions-" + split, key, options.PromptsPerBlock, prompts.Count);
        var blocks = new PromptBlocks($"revising ({split})", "turns", journal, options.PromptsPerBlock, progress, clock);
        await blocks.RunAsync(prompts, 1 + 2 * options.RevisionRounds, () => options.Policy.Open(clock, progress.Note),
            async (sampler, block, finished) =>
        {
            var completions = await new RevisionDialogue(sampler, options).RunAsync(block, finished, stop).ConfigureAwait(false);
            return [.. completions.Select(completion => completion.ToJson())];
        }, stop).ConfigureAwait(false);
        return [.. journal.Rows.Select(RevisedCompletion.FromJson)];
    }

    private ConstitutionResult Write(IReadOnlyList<RevisedSplit> splits)
    {
        var files = new List<string>();
        foreach (var split in splits)
        {
            var boundary = (int)(split.Completions.Count * options.SftShare);
            foreach (var (kind, rows) in new[] { ("sft", split.Completions.Index().Take(boundary).Where(row => row.Item.IsUsable)),
                ("prefs", split.Completions.Index().Skip(boundary).Where(row => row.Item.IsChanged)) })
            {
                var path = Path.Combine(options.OutputDirectory, $"{split.Name}_{kind}.jsonl");
                JsonLines.WriteFile(path, rows.Select(row => row.Item.ToRow(row.Index, options.Constitution.Principles)));
                files.Add(path);
            }
        }
        var report = new ConstitutionReport(splits, options);
        var page = Path.Combine(options.OutputDirectory, Reports.RunReport.FileName);
        report.ToPage().Save(page);
        return new ConstitutionResult(files, report, page);
    }

    private List<(string Name, string Value)> Facts(
        List<(string Split, IReadOnlyList<PromptRow> Prompts)> splits, ModelDefaults defaults) =>
    [
        ("policy", options.Policy.Name),
        ("prompts", string.Join(", ", splits.Select(split => FormattableString.Invariant($"{split.Prompts.Count} {split.Split}")))),
        ("principles",
            string.Create(CultureInfo.InvariantCulture,
                $"{options.Constitution.Principles.Count}, "
                    + $"{Quantity.Of(options.Constitution.SystemChat.Count, "turn")} of examples before each prompt")),
        ("turns", string.Create(CultureInfo.InvariantCulture,
            $"{1 + 2 * options.RevisionRounds} a prompt, temperature {options.Settings.Sampling.Temperature}, at most "
                + $"{Quantity.Of(options.Settings.MaxNewTokens, "token")} each")),
        .. defaults.Fact is { } fact ? new[] { ("from the model", fact) } : [],
        .. Endpoints.EndpointOptions.KeyFacts([options.Policy.Endpoint]),
        ("output", options.OutputDirectory),
    ];
}

/// <summary>A split after revision.</summary>
/// <param name="Name"><c>train</c> or <c>test</c>.</param>
/// <param name="Completions">Its prompts in order.</param>
public sealed record RevisedSplit(string Name, IReadOnlyList<RevisedCompletion> Completions);

/// <summary>What revision ended with.</summary>
/// <param name="Files">The sets: <c>train_sft.jsonl</c>, <c>train_prefs.jsonl</c> and those of the test split.</param>
/// <param name="Report">Table and page.</param>
/// <param name="Page">The page's path.</param>
public sealed record ConstitutionResult(IReadOnlyList<string> Files, ConstitutionReport Report, string Page);
