using System.Globalization;
using Handbook.Data.Examples;
using Handbook.Data.Packing;
using Handbook.Data.Preparation;
using Handbook.Data.Sources;
using Handbook.Data.Store;
using Handbook.Text.Conversations;
using Handbook.Text.Conversations.Inspection;
using Handbook.Text.Tokenizers;
using Handbook.Training.Options;

namespace Handbook.Training.Runs;

/// <summary>Which examples to show.</summary>
/// <param name="First">The first one, from 1.</param>
/// <param name="Count">How many.</param>
/// <param name="WithProblems">How many more to show of those that have a problem.</param>
public sealed record InspectionRange(int First, int Count, int WithProblems);

/// <summary>Shows a recipe's examples as the run would train them, token by token, without training.</summary>
public sealed class RunInspection
{
    private readonly RunOptions _options;
    private readonly PreparationOptions _preparation;
    private readonly IExampleEncoder _encoder;
    private readonly IExampleEncoder _unlimited;
    private readonly ConversationTokenizer _conversations;
    private readonly ExampleInspector _inspector;

    /// <summary>Looks at a run.</summary>
    /// <param name="options">The run.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="modelLimit">Most positions of its model.</param>
    /// <exception cref="UserErrorException">The recipe asks for labels that could not be learned.</exception>
    public RunInspection(RunOptions options, Tokenizer tokenizer, int modelLimit)
    {
        var maxLength = DataBinding.MaxLength(options, Math.Min(modelLimit, tokenizer.ModelMaxLength ?? int.MaxValue));
        _options = options;
        _preparation = DataBinding.Of(options, maxLength);
        _encoder = RunData.Encoder(options, tokenizer, maxLength);
        _unlimited = RunData.Encoder(
            options with { Sequences = options.Sequences with { MaxPromptLength = null, MaxCompletionLength = null } }, tokenizer, int.MaxValue);
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
            ("profile", _options.Profile switch { Profile.V03 => "v0.3", Profile.Trl019 => "trl-0.19", _ => "best" }),
            ("tokenizer", _options.Tokenizer.NameOrPath ?? _options.Model.NameOrPath ?? ""),
            ("max_length", _preparation.Packing.MaxLength.ToString(CultureInfo.InvariantCulture)),
            ("end of turn", tokenizer.Settings.EosToken is { } eos ? $"{eos} (id {tokenizer.EosId})" : "none"),
        };
        if (_options.Task != TrainingTask.Cpt)
        {
            facts.Add(("chat template", _options.Tokenizer.ChatTemplate is not null ? "the recipe's" : tokenizer.ChatTemplate is not null ? "the tokenizer's" : "ChatML, the default"));
            facts.Add(("labels", _conversations.Options.Labels == LabelScope.AssistantTurns ? "assistant turns" : _encoder.Kind == StoreKind.Sequences ? "by loss scope" : "answers"));
            if (LabelChecks.BrokenMarkers(_conversations.Template, tokenizer) is { Count: > 0 } broken)
                facts.Add(("markers that are no token", string.Join(' ', broken)));
        }
        return facts;
    }

    /// <summary>Reads every example of the training sources, counts all and keeps those asked for.</summary>
    /// <exception cref="UserErrorException">A dataset is missing, or its rows do not fit the task.</exception>
    public (InspectionSummary Summary, IReadOnlyList<InspectedExample> Shown) Look(InspectionRange range, CancellationToken stop = default)
    {
        var summary = new InspectionSummary();
        var (shown, troubled) = (new List<InspectedExample>(), new List<InspectedExample>());
        var number = 0;
        foreach (var (example, isCut, problem) in Sources().SelectMany(source => Read(source, stop)))
        {
            if (example is null)
            {
                summary.AddDropped(problem!);
                continue;
            }
            number++;
            // Answers are cut while they are encoded, so a pair that was too long is not any more.
            summary.Add(example, isCut ? 0 : _preparation.Packing.MaxLength, _preparation.Packing.Overlong == OverlongPolicy.Drop);
            if (number >= range.First && number < range.First + range.Count)
                shown.Add(example);
            else if (example.Problems.Count > 0 && troubled.Count < range.WithProblems)
                troubled.Add(example);
        }
        if (shown.Count == 0 && summary.ExampleCount > 0)
            throw new UserErrorException($"--example {range.First}: there are {summary.ExampleCount} examples.");
        return (summary, [.. shown, .. troubled]);
    }

    private IEnumerable<RowSource> Sources()
    {
        IReadOnlyList<IDatasetResolver> resolvers = [new LocalDatasetResolver("."), HubCacheResolver.OfThisMachine()];
        return _preparation.Sources.Select(part =>
            RowSource.Open(part.Request, resolvers, _preparation.Files with { Columns = part.Columns ?? _preparation.Files.Columns }));
    }

    private IEnumerable<(InspectedExample? Example, bool IsCut, string? Problem)> Read(RowSource source, CancellationToken stop)
    {
        var reader = ExampleReader.Recognize(source, _preparation.TextColumn, _preparation.PreferText);
        if (_encoder.Refuses(reader.Shape) is { } reason)
            throw new UserErrorException($"{source.Request}: recognised as {reader.Shape}; {reason}");
        return source.Read().AsParallel().AsOrdered().WithCancellation(stop).Select(row => Inspect(row, reader));
    }

    private (InspectedExample? Example, bool IsCut, string? Problem) Inspect(SourceRow row, ExampleReader reader)
    {
        try
        {
            var example = reader.Read(row);
            if (example is ConversationExample conversation)
            {
                var tokens = _conversations.Tokenize(conversation.Messages, conversation.Tools, conversation.TemplateArguments);
                return (_inspector.Sequence(row.Place.ToString(), tokens, conversation.Messages), false, null);
            }
            if (_encoder.Encode(example) is not { } encoded)
                return (null, false, "an answer would be cut to nothing");
            var isCut = encoded.LossMask is null
                && _unlimited.Encode(example) is { } whole && whole.Parts.Sum(part => part.Length) > encoded.Parts.Sum(part => part.Length);
            return (_inspector.Encoded(row.Place.ToString(), encoded.Parts, encoded.LossMask), isCut, null);
        }
        catch (BadRowException problem)
        {
            return (null, false, Reason(problem.Message, row.Place));
        }
        catch (Exception problem) when (problem is UserErrorException or Text.Templates.TemplateException)
        {
            return (null, false, problem.Message.ReplaceLineEndings(" "));
        }
    }

    /// <summary>The problem without its place, so that equal problems are counted together.</summary>
    private static string Reason(string message, RowPlace place) =>
        message.StartsWith(place.ToString(), StringComparison.Ordinal) ? message[place.ToString().Length..].TrimStart(':', ',', ' ') : message;
}
