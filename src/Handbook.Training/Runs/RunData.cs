using System.Globalization;
using Handbook.Chat;
using Handbook.Data.Examples;
using Handbook.Data.Inspection;
using Handbook.Data.Packing;
using Handbook.Data.Preparation;
using Handbook.Data.Store;
using Handbook.Tokenizers;
using Handbook.Training.Options;
using Handbook.Training.Progress;
using OverlongPolicy = Handbook.Data.Packing.OverlongPolicy;

namespace Handbook.Training.Runs;

/// <summary>The prepared data of a run.</summary>
public static class RunData
{
    /// <summary>Prepares it, or opens what an earlier run prepared.</summary>
    /// <exception cref="UserErrorException">A dataset is missing or broken, or nothing is left to learn from.</exception>
    public static TokenStore Prepare(
        RunOptions options, Tokenizer tokenizer, int modelLimit, ITrainingProgress progress, CancellationToken stop, World? world = null) =>
        Told(options, tokenizer, modelLimit, progress,
            notes => Preparation(options, tokenizer, modelLimit, progress, world).Prepare(notes, stop));

    /// <summary>
    /// As <see cref="Prepare"/>, though there may be no label to learn from: what is wrong with the data is to be looked at.
    /// </summary>
    /// <exception cref="UserErrorException">A dataset is missing or broken, or nothing is left of it.</exception>
    public static TokenStore PrepareForInspection(
        RunOptions options, Tokenizer tokenizer, int modelLimit, ITrainingProgress progress, CancellationToken stop) =>
        Told(options, tokenizer, modelLimit, progress,
            notes => Preparation(options, tokenizer, modelLimit, progress).PrepareForInspection(notes, stop));

    private static DataPreparation Preparation(
        RunOptions options, Tokenizer tokenizer, int modelLimit, ITrainingProgress progress, World? world = null)
    {
        var maxLength = DataBinding.MaxLength(options, Math.Min(modelLimit, tokenizer.ModelMaxLength ?? int.MaxValue));
        return new DataPreparation(DataBinding.Of(options, maxLength), Encoder(options, tokenizer, maxLength))
        {
            World = world ?? World.Single,
            Waits = holder => progress.Note($"{holder} prepares the same data; waiting for it"),
        };
    }

    private static TokenStore Told(
        RunOptions options, Tokenizer tokenizer, int modelLimit, ITrainingProgress progress,
        Func<IProgress<PreparationProgress>, TokenStore> prepare)
    {
        var notes = new PreparationNotes(progress);
        var store = prepare(notes);
        notes.Done();
        if (LosesAssistantMask(options))
            progress.Note(
                "assistant_only_loss has no effect together with packing in the profile trl-0.19, as in TRL 0.19: every token is a label");
        if (options.Sequences.MaxLength is { } maxLength && maxLength > modelLimit)
            progress.Note(string.Create(CultureInfo.InvariantCulture,
                $"max_length {maxLength} is more than the model was made for: it has "
                    + $"{Quantity.Of(modelLimit, "position")} (max_position_embeddings)"));
        foreach (var line in StoreReport.Lines(store))
            progress.Note(line);
        foreach (var line in IdleCompletions.Warnings(store, tokenizer.IsSpecial))
            progress.Note(line);
        if (OneVerdict(store) is { } verdict)
            progress.Note(string.Create(CultureInfo.InvariantCulture,
                $"warning: all {store.Train.RowCount} training answers have the label {verdict}; {options.Task} learns by telling liked "
                    + $"from disliked answers, and from one kind alone it only moves every answer's reward the same way"));
        if (!TrainingMethod.Of(options.Task).IsPlainText && (tokenizer.Settings.HasChatTemplate || HasConversations(store))
            && LabelChecks.BrokenMarkers(Conversations(options, tokenizer).Templates.All, tokenizer) is { Count: > 0 } broken)
            progress.Note($"the chat template writes {string.Join(", ", broken)}, which the tokenizer cuts into pieces; add them to its "
                + "vocabulary before training a chat model");
        return store;
    }

    /// <summary>
    /// The tokenizer to save with the model: one without a chat template that was trained on conversations has learned ChatML, and
    /// whoever serves the model must know.
    /// </summary>
    public static Tokenizer Taught(RunOptions options, Tokenizer tokenizer, TokenStore data) =>
        !tokenizer.Settings.HasChatTemplate && HasConversations(data)
            ? tokenizer.WithSettings(tokenizer.Settings with { ChatTemplate = ChatTemplate.ChatMl })
            // The recipe's template was used for every conversation; another one for tools would be one the model never saw.
            : options.Tokenizer.ChatTemplate is not null
                ? tokenizer.WithSettings(
                    tokenizer.Settings with { NamedChatTemplates = new Dictionary<string, string>(StringComparer.Ordinal) })
                : tokenizer;

    /// <summary>How the run's examples become tokens.</summary>
    public static IExampleEncoder Encoder(RunOptions options, Tokenizer tokenizer, int maxLength) =>
        options.Data.SkipPreparation
            ? new TokenizedRows(RowEncoder(options, tokenizer, maxLength)) : RowEncoder(options, tokenizer, maxLength);

    private static IExampleEncoder RowEncoder(RunOptions options, Tokenizer tokenizer, int maxLength)
    {
        var method = TrainingMethod.Of(options.Task);
        var fingerprint = RunTokenizer.Fingerprint(options, tokenizer);
        if (method.IsPlainText)
            return new PlainTextEncoder(tokenizer, fingerprint, PlainText(options));
        var conversations = Conversations(options, tokenizer);
        return new ConversationEncoder(conversations, fingerprint, new EncoderOptions
        {
            Kind = method.Data,
            PromptLabels = options.Sequences.LossScope switch
            {
                LossScope.Everything => true,
                LossScope.Completions => false,
                _ => null,
            },
            PlainText = PlainText(options),
            Limits = new AnswerLimits
            {
                MaxLength = maxLength,
                MaxPromptLength = options.Sequences.MaxPromptLength,
                MaxCompletionLength = options.Sequences.MaxCompletionLength,
                Overlong = options.Sequences.Truncation switch
                {
                    TruncationMode.KeepStart => OverlongPolicy.KeepStart,
                    TruncationMode.KeepEnd => OverlongPolicy.KeepEnd,
                    TruncationMode.Drop => OverlongPolicy.Drop,
                    _ => null,
                },
                Profile = options.Profile,
            },
        });
    }

    private static string? OneVerdict(TokenStore store) => store.Kind != StoreKind.Verdicts ? null
        : store.Train.LikedCount() is var liked && liked == store.Train.RowCount ? "true" : liked == 0 ? "false" : null;

    private static bool HasConversations(TokenStore store) =>
        store.Manifest.Sources.Any(source => source.Shape == nameof(ExampleShape.Conversation));

    private static bool LosesAssistantMask(RunOptions options) =>
        options.Profile == Profile.Trl019 && options.Sequences.Packing != PackingStrategy.None
            && options.Sequences.LossScope == LossScope.AssistantTurns;

    /// <summary>The run's tokenizer with its chat template, labels and profile.</summary>
    /// <exception cref="UserErrorException">The end of turn would be masked as padding.</exception>
    public static ConversationTokenizer Conversations(RunOptions options, Tokenizer tokenizer)
    {
        // TRL's collator of that time masked every label whose id is the padding token's; packed rows have no padding.
        LabelChecks.RequireLearnableEos(tokenizer, TrainingMethod.Of(options.Task) is { IsPlainText: false, Data: StoreKind.Sequences }
            && options is { Profile: Profile.V03, Sequences.Packing: PackingStrategy.None });
        return new ConversationTokenizer(tokenizer, options.Tokenizer.ChatTemplate, new ConversationOptions
        {
            Profile = options.Profile,
            // TRL 0.19 loses the assistant mask when it packs; only its profile follows it.
            Labels = options.Sequences.LossScope == LossScope.AssistantTurns && !LosesAssistantMask(options)
                ? LabelScope.AssistantTurns : LabelScope.Everything,
            InsertEmptySystemMessage = options.Tokenizer.AutoInsertEmptySystemMessage ?? options.Profile == Profile.V03,
        });
    }

    private static PlainTextOptions PlainText(RunOptions options) => new()
    {
        Profile = options.Profile,
        AddSpecialTokens = options.Data.AddSpecialTokens,
        AppendEos = options.Data.AppendConcatToken,
    };

    /// <summary>Tells a run's progress how far preparation is, and at what rate.</summary>
    private sealed class PreparationNotes(ITrainingProgress progress) : IProgress<PreparationProgress>
    {
        private PreparationProgress? last;

        public void Report(PreparationProgress value)
        {
            last = value;
            var left = value.Remaining is { } remaining ? $", {remaining:mm\\:ss} left" : "";
            progress.Advance(
                string.Create(CultureInfo.InvariantCulture, $"preparing data: {value.Stage}, {value.MegabytesPerSecond:F1} MB/s{left}"),
                value.Examples, value.TotalExamples ?? value.Examples);
        }

        /// <summary>Says what preparing cost, unless it was there already.</summary>
        public void Done()
        {
            if (last is { } done)
            {
                progress.Note(string.Create(CultureInfo.InvariantCulture,
                    $"data prepared: {Quantity.Of(done.Examples, "row")}, {done.Bytes / 1e6:F1} MB in {done.Elapsed.TotalSeconds:F1} s "
                        + $"({done.MegabytesPerSecond:F1} MB/s), {Quantity.Of(done.Tokens, "token")}"));
            }
        }
    }
}
