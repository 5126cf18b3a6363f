using System.Text.Json.Nodes;
using Handbook.Templates;
using Handbook.Tokenizers;

namespace Handbook.Chat;

/// <summary>
/// From messages and texts to token ids and labels: rendered once, tokenized once, and for every token it is known which
/// message it belongs to. May be used by many threads at once.
/// </summary>
public sealed class ConversationTokenizer
{
    private readonly SpecialTokenRules _special;

    /// <summary>Puts a tokenizer and its chat template together.</summary>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="chatTemplate">
    /// The recipe's template or the name of one of the tokenizer's; null for the tokenizer's own, ChatML where it has none.
    /// </param>
    /// <param name="options">How to tokenize.</param>
    /// <exception cref="UserErrorException">The template has a fault.</exception>
    public ConversationTokenizer(Tokenizer tokenizer, string? chatTemplate = null, ConversationOptions? options = null)
    {
        Tokenizer = tokenizer;
        Options = options ?? new ConversationOptions();
        Templates = new ChatTemplates(tokenizer.Settings, chatTemplate);
        _special = new SpecialTokenRules(tokenizer);
        Pairs = new PairTokenizer(this, _special);
    }

    /// <summary>The tokenizer.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>The templates in use.</summary>
    public ChatTemplates Templates { get; }

    /// <summary>How it tokenizes.</summary>
    public ConversationOptions Options { get; }

    /// <summary>Prompts with completions and preference pairs.</summary>
    public PairTokenizer Pairs { get; }

    /// <summary>The messages with an empty system message before them where the options ask for one and the template knows any.</summary>
    internal IReadOnlyList<Message> Prepare(IReadOnlyList<Message> messages, ChatTemplate template)
    {
        var knowsSystem = template.Source.Contains("system", StringComparison.Ordinal)
            || template.Source.Contains("<|im_start|>", StringComparison.Ordinal);
        return Options.InsertEmptySystemMessage && knowsSystem && messages is not [{ Role: "system" }, ..]
            ? [new Message { Role = "system", Content = "" }, .. messages]
            : messages;
    }

    /// <summary>The text of a conversation, as it is trained on.</summary>
    /// <exception cref="TemplateException">The template refuses these messages.</exception>
    public RenderedTemplate Render(
        IReadOnlyList<Message> messages, JsonArray? tools = null, JsonObject? arguments = null, bool addGenerationPrompt = false)
    {
        var options = TemplateOptions(tools, arguments) with { AddGenerationPrompt = addGenerationPrompt };
        var template = Templates.For(options.Tools);
        var prepared = Prepare(messages, template);
        var rendered = template.Render(prepared, options);
        RoleCheck.RequireWritten(prepared, rendered);
        return rendered;
    }

    /// <summary>Tokens and labels of a conversation.</summary>
    /// <param name="messages">The conversation.</param>
    /// <param name="tools">The example's tools; those of the options when null.</param>
    /// <param name="arguments">The example's <c>chat_template_kwargs</c>, on top of the options'.</param>
    /// <exception cref="TemplateException">The template refuses these messages.</exception>
    /// <exception cref="UserErrorException">The template hides which words are the assistant's.</exception>
    public TokenizedConversation Tokenize(IReadOnlyList<Message> messages, JsonArray? tools = null, JsonObject? arguments = null)
    {
        var options = TemplateOptions(tools, arguments);
        var template = Templates.For(options.Tools);
        var prepared = Prepare(messages, template);
        var rendered = template.Render(prepared, options);
        RoleCheck.RequireWritten(prepared, rendered);
        var tokens = Tokenizer.Encode(rendered.Text, addSpecialTokens: Options.Profile == Profile.V03);
        var inserted = prepared.Count - messages.Count;
        var messageIndex = MessageTurns.OfTokens(MessageTurns.Of(prepared, rendered), tokens.Offsets);
        for (var i = 0; i < messageIndex.Length; i++)
            messageIndex[i] = messageIndex[i] < 0 ? -1 : Math.Max(-1, messageIndex[i] - inserted);
        var mask = Options.Labels == LabelScope.Everything
            ? Filled(tokens.Count) : Labels(template, prepared, options, rendered, tokens.Offsets);
        var result = new TokenizedConversation(rendered.Text, tokens.Ids, mask, messageIndex, tokens.Offsets);
        return Options.Profile == Profile.Best ? Complete(result, messages) : result;
    }

    private bool[] Labels(
        ChatTemplate template, IReadOnlyList<Message> messages, ChatTemplateOptions options, RenderedTemplate rendered, TextRange[] offsets)
    {
        if (rendered.GenerationSpans.Count > 0 && Options.Profile != Profile.Best)
            return AssistantMask.OfGenerationSpans(offsets, rendered.GenerationSpans);
        var spans = rendered.GenerationSpans.Count == 0 ? null
            : !rendered.HasInnerGenerations ? rendered.GenerationSpans
            : GenerationMarks.Spans(template.RenderMarked(messages, options), rendered.Text);
        return AssistantMask.OfSpans(offsets,
            spans ?? AssistantSpans.Find(template, messages, options, rendered).Select(span => span.Range));
    }

    /// <summary>
    /// The <c>best</c> profile: BOS once, and EOS behind a last completion that the template leaves open, since a model that
    /// never saw an end of turn never stops.
    /// </summary>
    private TokenizedConversation Complete(TokenizedConversation tokens, IReadOnlyList<Message> messages)
    {
        var prefix = _special.MissingPrefix(tokens.Ids).ToArray();
        var needsEnd = messages is [.., { Role: "assistant" }] && Tokenizer.EosId is not null && !_special.EndsTurn(tokens.Ids);
        int[] suffix = needsEnd ? [Tokenizer.EosId!.Value] : [];
        return Around(tokens, prefix, suffix, messages.Count - 1);
    }

    private TokenizedConversation Around(TokenizedConversation tokens, int[] prefix, int[] suffix, int lastMessage)
    {
        if (prefix.Length + suffix.Length == 0)
            return tokens;
        var behind = new TextRange(tokens.Text.Length, tokens.Text.Length);
        return new TokenizedConversation(
            tokens.Text,
            [.. prefix, .. tokens.Ids, .. suffix],
            [.. prefix.Select(_ => Options.Labels == LabelScope.Everything), .. tokens.LossMask, .. suffix.Select(_ => true)],
            [.. prefix.Select(_ => -1), .. tokens.MessageIndex, .. suffix.Select(_ => lastMessage)],
            [.. prefix.Select(_ => default(TextRange)), .. tokens.Offsets, .. suffix.Select(_ => behind)]);
    }

    /// <summary>
    /// Tokens of plain text, all of them labels: with the tokenizer's BOS once, and EOS appended where it is missing.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="appendEos">Whether the text ends with EOS; packing may want to set it between texts itself.</param>
    public TokenizedConversation TokenizeText(string text, bool appendEos = true)
    {
        var tokens = Tokenizer.Encode(text, addSpecialTokens: false);
        var plain = new TokenizedConversation(text, tokens.Ids, Filled(tokens.Count), Filled(tokens.Count, -1), tokens.Offsets);
        int[] suffix = appendEos && Tokenizer.EosId is { } eos && (tokens.Count == 0 || tokens.Ids[^1] != eos) ? [eos] : [];
        var result = Around(plain, _special.MissingPrefix(tokens.Ids).ToArray(), suffix, -1);
        return result with { LossMask = Filled(result.Count) };
    }

    /// <summary>The options' template variables with an example's own on top.</summary>
    internal ChatTemplateOptions TemplateOptions(JsonArray? tools, JsonObject? arguments)
    {
        var all = Options.Template.Arguments;
        if (arguments is not null)
        {
            all = (JsonObject?)all?.DeepClone() ?? [];
            foreach (var (name, value) in arguments)
                all[name] = value?.DeepClone();
        }
        return Options.Template with { Tools = tools ?? Options.Template.Tools, Arguments = all };
    }

    private static bool[] Filled(int count) => Filled(count, true);

    private static T[] Filled<T>(int count, T value)
    {
        var values = new T[count];
        Array.Fill(values, value);
        return values;
    }
}
