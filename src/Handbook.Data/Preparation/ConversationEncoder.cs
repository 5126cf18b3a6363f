using System.Text.Json.Nodes;
using Handbook.Chat;
using Handbook.Data.Examples;
using Handbook.Data.Sources;
using Handbook.Data.Store;
using Handbook.Templates;

namespace Handbook.Data.Preparation;

/// <summary>
/// Encodes examples of every shape through the chat template, rendered once: sequences for fine-tuning, pairs and verdicts
/// for preference training.
/// </summary>
public sealed class ConversationEncoder : IExampleEncoder
{
    private readonly ConversationTokenizer conversations;
    private readonly EncoderOptions options;
    private readonly PlainTextEncoder plainText;

    /// <summary>An encoder over a tokenizer with its template.</summary>
    /// <param name="conversations">Template and tokenizer; its label scope decides the labels of whole conversations.</param>
    /// <param name="tokenizerFingerprint">See <see cref="TokenizerFingerprint"/>.</param>
    /// <param name="options">What to make of examples.</param>
    public ConversationEncoder(ConversationTokenizer conversations, string tokenizerFingerprint, EncoderOptions? options = null)
    {
        (this.conversations, this.options) = (conversations, options ?? new EncoderOptions());
        plainText = new PlainTextEncoder(conversations.Tokenizer, tokenizerFingerprint, this.options.PlainText);
        Fingerprint = string.Join("; ", "conversations", plainText.Fingerprint,
            string.Join("; ", conversations.Templates.All.Select(template => template.Source)), conversations.Options.Profile,
            conversations.Options.Labels,
            conversations.Options.InsertEmptySystemMessage, conversations.Options.Template.Tools?.ToJsonString(),
            conversations.Options.Template.Documents?.ToJsonString(),
            conversations.Options.Template.Arguments?.ToJsonString(), this.options);
    }

    /// <inheritdoc/>
    public StoreKind Kind => options.Kind;

    /// <inheritdoc/>
    public string Fingerprint { get; }

    private bool LabelsAssistantOnly => conversations.Options.Labels == LabelScope.AssistantTurns;

    /// <inheritdoc/>
    public string? Refuses(ExampleShape shape) => (options.Kind, shape) switch
    {
        (StoreKind.Sequences, ExampleShape.Conversation) when options.PromptLabels == false =>
            "completion_only_loss needs prompt and completion columns; assistant_only_loss is for conversations",
        (StoreKind.Sequences, ExampleShape.Text) when options.PromptLabels == false || LabelsAssistantOnly =>
            "plain text has no prompt and no assistant; drop completion_only_loss and assistant_only_loss",
        (StoreKind.Sequences, ExampleShape.Text or ExampleShape.Conversation or ExampleShape.Completion or ExampleShape.Tokenized) => null,
        (StoreKind.Pairs, ExampleShape.Preference) or (StoreKind.Verdicts, ExampleShape.Verdict) => null,
        (StoreKind.Sequences, _) => "this task needs messages, prompt + completion, text or input_ids",
        (StoreKind.Pairs, _) => "this task needs chosen and rejected",
        _ => "this task needs prompt, completion and label",
    };

    /// <inheritdoc/>
    public EncodedExample? Encode(Example example)
    {
        try
        {
            return example switch
            {
                TextExample or TokenizedExample => plainText.Encode(example),
                ConversationExample conversation => Conversation(conversation),
                CompletionExample completion => Completion(completion),
                PreferenceExample pair => Pair(pair),
                VerdictExample verdict => Verdict(verdict),
                _ => throw new ArgumentException($"no encoding for {example.GetType().Name}", nameof(example)),
            };
        }
        catch (Exception e) when (e is TemplateException or UserErrorException)
        {
            throw new BadRowException(example.Place, ColumnOf(example), e.Message.ReplaceLineEndings(" "));
        }
    }

    private EncodedExample Conversation(ConversationExample example)
    {
        var tokens = conversations.Tokenize(example.Messages, example.Tools, example.TemplateArguments);
        return EncodedExample.Sequence(tokens.Ids, tokens.LossMask, PlainTextEncoder.CodePoints(tokens.Text));
    }

    private EncodedExample Completion(CompletionExample example)
    {
        if (LabelsAssistantOnly && example is { Prompt.Messages: { } before, Completion.Messages: { } after })
            return Conversation(new ConversationExample([.. before, .. after])
            {
                Place = example.Place, Tools = example.Tools, TemplateArguments = example.TemplateArguments,
            });
        var (prompt, completion) = Parted(example, example.Prompt, example.Completion);
        var mask = new bool[prompt.Length + completion.Length];
        mask.AsSpan(options.PromptLabels == true ? 0 : prompt.Length).Fill(true);
        var characters = PlainTextEncoder.CodePoints(example.Prompt.PlainText) + PlainTextEncoder.CodePoints(example.Completion.PlainText);
        return EncodedExample.Sequence([.. prompt, .. completion], mask, characters);
    }

    private EncodedExample? Pair(PreferenceExample example)
    {
        var pair = example is { Prompt.Messages: { } prompt, Chosen.Messages: { } chosen, Rejected.Messages: { } rejected }
            ? conversations.Pairs.Tokenize(prompt, chosen, rejected, example.Tools, PairArguments(example))
            : conversations.Pairs.Tokenize(PlainText(example, example.Prompt, "prompt"), PlainText(example, example.Chosen, "chosen"),
                PlainText(example, example.Rejected, "rejected"));
        return options.Limits.Cut(pair.Prompt, pair.Chosen, pair.Rejected) is [var p, var c, var r]
            ? EncodedExample.Pair(p, c, r, pair.Count - p.Length - c.Length - r.Length, example.Margin) with
            {
                UnseenByChosen = options.Limits.Unseen(p, c),
                UnseenByRejected = options.Limits.Unseen(p, r),
            }
            : null;
    }

    /// <summary>
    /// TRL 0.19 does not hand a preference row's <c>chat_template_kwargs</c> to the template; only its profile follows it.
    /// </summary>
    private JsonObject? PairArguments(Example example) =>
        conversations.Options.Profile == Profile.Trl019 ? null : example.TemplateArguments;

    private EncodedExample? Verdict(VerdictExample example)
    {
        var (prompt, completion) = Parted(example, example.Prompt, example.Completion);
        return options.Limits.Cut(prompt, completion) is [var p, var c]
            ? EncodedExample.Verdict(p, c, example.Desirable, prompt.Length + completion.Length - p.Length - c.Length)
            : null;
    }

    private (int[] Prompt, int[] Completion) Parted(Example example, Turns prompt, Turns completion)
    {
        var tokens = prompt.Messages is { } before && completion.Messages is { } after
            ? conversations.Pairs.Tokenize(before, after, example.Tools, example.TemplateArguments)
            : conversations.Pairs.Tokenize(PlainText(example, prompt, "prompt"), PlainText(example, completion, "completion"));
        return (tokens.Prompt, tokens.Completion);
    }

    private static string PlainText(Example example, Turns turns, string column) =>
        turns.Text ?? throw new BadRowException(example.Place, column,
            "messages beside plain text; prompt and answers must be of one kind");

    private static string ColumnOf(Example example) => example switch
    {
        TextExample => "text",
        ConversationExample => "messages",
        PreferenceExample => "chosen",
        TokenizedExample => "input_ids",
        _ => "completion",
    };
}
