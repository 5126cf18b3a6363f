using System.Globalization;
using Handbook.Chat;
using Handbook.Chat.Inspection;
using Handbook.Data.Examples;
using Handbook.Data.Inspection;
using Handbook.Data.Preparation;
using Handbook.Data.Sources;
using Handbook.Data.Store;
using Handbook.Tokenizers;
using Handbook.Training.Options;

namespace Handbook.Training.Runs;

/// <summary>Which examples to show.</summary>
/// <param name="First">The first one, from 1.</param>
/// <param name="Count">How many.</param>
/// <param name="WithProblems">How many more to show of those that have a problem.</param>
public sealed record InspectionRange(int First, int Count, int WithProblems);

/// <summary>
/// Shows prepared examples token by token: what the run trains on, after mixing, cleaning and cutting. The numbers come from
/// the store, and only the examples that are shown are read again from the data, so that a look at a large set takes no longer.
/// </summary>
public sealed class RunInspection
{
    private const string LabelsCutOff = "it is cut before its first label, so nothing is learned from it";
    private readonly RunOptions _options;
    private readonly PreparationOptions _preparation;
    private readonly TokenStore _store;
    private readonly ConversationTokenizer _conversations;
    private readonly ExampleInspector _inspector;

    /// <summary>Looks at a run's data.</summary>
    /// <param name="options">The run.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="store">Its prepared data.</param>
    public RunInspection(RunOptions options, Tokenizer tokenizer, TokenStore store)
    {
        (_options, _store) = (options, store);
        _preparation = DataBinding.Of(options, store.Train.Summary.MaxLength);
        _conversations = RunData.Conversations(options, tokenizer);
        _inspector = new ExampleInspector(tokenizer);
    }

    /// <summary>What decided the tokens, for a heading.</summary>
    public IReadOnlyList<(string Name, string Value)> Facts()
    {
        var tokenizer = _conversations.Tokenizer;
        var facts = new List<(string, string)>
        {
            ("task", _options.Task.ToString().ToLowerInvariant()),
            ("profile", _options.Profile.RecipeName()),
            ("tokenizer", _options.Tokenizer.NameOrPath ?? _options.Model.NameOrPath ?? ""),
            ("max_length", _store.Train.Summary.MaxLength.ToString(CultureInfo.InvariantCulture)),
            ("end of turn", tokenizer.Settings.EosToken is { } eos ? $"{eos} (id {tokenizer.EosId})" : "none"),
        };
        if (!TrainingMethod.Of(_options.Task).IsPlainText)
        {
            facts.Add(("chat template",
                _options.Tokenizer.ChatTemplate is not null ? "the recipe's"
                    : tokenizer.Settings.HasChatTemplate ? "the tokenizer's" : "ChatML, the default"));
            facts.Add(("labels",
                _conversations.Options.Labels == LabelScope.AssistantTurns ? "assistant turns"
                    : _store.Kind == StoreKind.Sequences ? "by loss scope" : "answers"));
            if (LabelChecks.BrokenMarkers(_conversations.Templates.All, tokenizer) is { Count: > 0 } broken)
                facts.Add(("markers that are no token", string.Join(' ', broken)));
        }
        return facts;
    }

    /// <summary>Counts a set and shows the examples asked for.</summary>
    /// <exception cref="UserErrorException">There is no such example, or the data is not there any more.</exception>
    public (InspectionSummary Summary, IReadOnlyList<InspectedExample> Shown) Look(TokenSet set, InspectionRange range)
    {
        var stored = new StoredExamples(_store, set);
        if (range.First > stored.Numbers.Count)
            throw new UserErrorException($"--example {range.First}: there {Quantity.Word(stored.Numbers.Count, "is", "are")} "
                + $"{Quantity.Of(stored.Numbers.Count, "example")}.");
        var shown = stored.Numbers.Skip(range.First - 1).Take(range.Count).ToList();
        var problems = new Dictionary<string, int>(StringComparer.Ordinal);
        var lengths = new List<int>(stored.Numbers.Count);
        var troubled = new List<int>();
        foreach (var number in stored.Numbers)
        {
            var tokens = stored.Read(number);
            // The completions of a pair stand beside each other behind their prompt: the row is as long as the longer one.
            lengths.Add(tokens.Parts[0].Length + tokens.Parts.Skip(1).Select(part => part.Length).DefaultIfEmpty().Max());
            IReadOnlyList<string> found = stored.LostItsLabels(number)
                ? [LabelsCutOff] : _inspector.Problems(tokens.Parts, tokens.LossMask);
            foreach (var problem in found)
                problems[problem] = problems.GetValueOrDefault(problem) + 1;
            if (found.Count > 0 && troubled.Count < range.WithProblems && !shown.Contains(number))
                troubled.Add(number);
        }
        return (Summary(set, lengths, problems), Inspect(stored, [.. shown, .. troubled]));
    }

    private InspectionSummary Summary(TokenSet set, List<int> lengths, Dictionary<string, int> problems)
    {
        var (summary, manifest) = (set.Summary, _store.Manifest);
        if (manifest.BadRows > 0)
            problems[$"bad rows left out, the first: {manifest.BadRowExamples[0]}"] = manifest.BadRows;
        return new InspectionSummary
        {
            Lengths = lengths,
            TokenCount = summary.TokenCount,
            LabelCount = summary.LossTokenCount,
            Unlabelled = summary.WithoutLabel,
            Truncated = summary.Truncated,
            Dropped = summary.Dropped + summary.Emptied + manifest.BadRows,
            Removed = manifest.Cleaning.Sum(rule => rule.Removed),
            Problems = [.. problems.OrderByDescending(entry => entry.Value).Select(entry => (entry.Key, entry.Value))],
        };
    }

    private List<InspectedExample> Inspect(StoredExamples stored, IReadOnlyCollection<int> numbers)
    {
        var examples = stored.Source(numbers, _preparation, [new LocalDatasetResolver("."), HubCacheResolver.OfThisMachine()]);
        var kept = stored.Kept(numbers);
        return
        [
            .. numbers.Select(number => WithCuts(stored, number,
                Inspect(stored.Read(number), examples[number], _store.Describe(number), kept[number]))),
        ];
    }

    private static InspectedExample WithCuts(StoredExamples stored, int number, InspectedExample inspected)
    {
        var lost = stored.Read(number).LostTokens;
        return inspected with
        {
            Problems =
            [
                .. inspected.Problems,
                .. stored.LostItsLabels(number) ? [LabelsCutOff] : Array.Empty<string>(),
                .. lost > 0
                    ? [string.Create(CultureInfo.InvariantCulture,
                        $"{Quantity.Of(lost, "token is", "tokens are")} cut off, since prompt and answers are longer than the limits")]
                    : Array.Empty<string>(),
            ],
        };
    }

    private InspectedExample Inspect(EncodedExample tokens, Example example, string name, bool[] kept)
    {
        var sources = Conversations(example)
            .Select(messages => (Tokens: _conversations.Tokenize(messages, example.Tools, example.TemplateArguments), Messages: messages))
            .ToList();
        return sources is [var only] && only.Tokens.Ids.AsSpan().SequenceEqual(tokens.Parts[0])
            ? _inspector.Sequence(name, only.Tokens with { LossMask = tokens.LossMask! }, only.Messages, kept)
            : _inspector.Encoded(name, tokens.Parts, tokens.LossMask, sources, kept);
    }

    /// <summary>The conversations an example is made of: one, or for a pair one with each completion; none for plain text.</summary>
    private static IReadOnlyList<Message>[] Conversations(Example example) => example switch
    {
        ConversationExample conversation => [conversation.Messages],
        CompletionExample { Prompt.Messages: { } prompt, Completion.Messages: { } completion } => [[.. prompt, .. completion]],
        VerdictExample { Prompt.Messages: { } prompt, Completion.Messages: { } completion } => [[.. prompt, .. completion]],
        PreferenceExample { Prompt.Messages: { } prompt, Chosen.Messages: { } chosen, Rejected.Messages: { } rejected } =>
            [[.. prompt, .. chosen], [.. prompt, .. rejected]],
        _ => [],
    };
}
