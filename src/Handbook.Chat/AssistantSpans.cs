using Handbook.Templates;
using Handbook.Tokenizers;

namespace Handbook.Chat;

/// <summary>Where one assistant message's own words stand, with the end of its turn.</summary>
/// <param name="Message">The message's place in the conversation, from 0.</param>
/// <param name="Range">UTF-16 range of the rendered text.</param>
public readonly record struct AssistantSpan(int Message, TextRange Range);

/// <summary>
/// Finds the assistant's words in a rendered conversation without <c>{% generation %}</c> tags. The renderer knows which
/// text each pass over the messages wrote; how much of an assistant's pass is the template's own header is found by
/// rendering differently: once the conversation so far with and without a generation prompt, and where that does not
/// settle it, once with the content exchanged for a mark. A span begins where the model would begin to write, and ends
/// where the next message begins, so the end of turn is in it; after the last message that is the end of the text.
/// </summary>
public sealed class AssistantSpans
{
    private const string Assistant = "assistant";

    // Private-use characters: no template treats them specially and no message begins with them.
    private const string Mark = "\uE0A0\uE0A1mark\uE0A1\uE0A0";

    private readonly ChatTemplate _template;
    private readonly IReadOnlyList<Message> _messages;
    private readonly ChatTemplateOptions _options;
    private readonly string _text;
    private readonly IReadOnlyList<RenderedTurn> _turns;
    private string? _prompt;
    private bool _promptIsKnown;

    private AssistantSpans(ChatTemplate template, IReadOnlyList<Message> messages, ChatTemplateOptions options, RenderedTemplate rendered)
    {
        (_template, _messages, _options, _text) = (template, messages, options, rendered.Text);
        _turns = MessageTurns.Of(messages, rendered);
    }

    /// <summary>The spans of every assistant message that wrote something, in order.</summary>
    /// <param name="template">The chat template.</param>
    /// <param name="messages">The conversation.</param>
    /// <param name="options">What <paramref name="rendered"/> was rendered with.</param>
    /// <param name="rendered">The template rendered over the messages.</param>
    /// <exception cref="UserErrorException">The template hides where the assistant's words begin.</exception>
    public static IReadOnlyList<AssistantSpan> Find(
        ChatTemplate template, IReadOnlyList<Message> messages, ChatTemplateOptions options, RenderedTemplate rendered) =>
        new AssistantSpans(template, messages, options, rendered).Find();

    private List<AssistantSpan> Find()
    {
        var spans = new List<AssistantSpan>();
        for (var i = 0; i < _turns.Count; i++)
        {
            var (message, _, range) = _turns[i];
            if (_messages[message].Role != Assistant)
                continue;
            if (spans.Count > 0 && spans[^1].Message == message)
                throw Unclear(message, "is written in more than one place");
            var start = range.Start + HeaderLength(message, _text.AsSpan(range.Start, range.Length));
            spans.Add(new AssistantSpan(message, new TextRange(start, Math.Max(start, End(i)))));
        }
        if (spans.Count == 0
            && _messages.Select((message, i) => (message, i))
                .FirstOrDefault(pair => pair.message.Role == Assistant) is { message: not null } lost)
            throw Unclear(lost.i, "cannot be followed through the template, which writes it outside of any loop over the messages");
        return spans;
    }

    /// <summary>Behind the last message, what the template still writes (EOS) ends the turn, unless it is a generation prompt.</summary>
    private int End(int turn)
    {
        var range = _turns[turn].Range;
        var tail = _text.AsSpan(_turns[^1].Range.End);
        if (_options.AddGenerationPrompt || _options.ContinueFinalMessage || tail.IsEmpty)
            return range.End;
        if (!tail.IsWhiteSpace() && _prompt.AsSpan().StartsWith(tail) && !EndsEveryTurn(tail))
            return range.End;
        if (turn == _turns.Count - 1)
            return _text.Length;
        // Some templates end a turn at the start of the next one, and the last turn behind the loop.
        var next = _turns[turn + 1].Range;
        return !tail.IsWhiteSpace() && _text.AsSpan(next.Start, next.Length).StartsWith(tail) ? range.End + tail.Length : range.End;
    }

    /// <summary>Whether a template writes <paramref name="tail"/> between an assistant's turn and a user's too.</summary>
    private bool EndsEveryTurn(ReadOnlySpan<char> tail)
    {
        var rendered = TryRender(
            [new Message { Role = "user", Content = Mark }, new Message { Role = Assistant, Content = Mark },
                new Message { Role = "user", Content = Mark }],
            addGenerationPrompt: false);
        return rendered?.Turns is [.., var last] && rendered.Text.AsSpan(last.Range.Start).StartsWith(tail);
    }

    private int HeaderLength(int message, ReadOnlySpan<char> text)
    {
        var prompt = Prompt(message);
        if (prompt is not null && text.StartsWith(prompt))
            return prompt.Length;
        var header = MarkedHeader(Marked(message)) ?? MarkedHeader(
            [new Message { Role = "user", Content = Mark[..2] }, new Message { Role = Assistant, Content = Mark }]);
        if (header is not null && text.StartsWith(header))
            return header.Length;
        var common = Math.Max(CommonHeader(text, prompt ?? ""), CommonHeader(text, header ?? ""));
        return common > 0 || (prompt is null && header is not null && string.IsNullOrWhiteSpace(header)) ? common
            : throw Unclear(message, "begins in a way that neither the generation prompt nor exchanging the content explains");
    }

    /// <summary>
    /// What a turn shares with the header of another one, back to the last whole word or marker: a turn that opens with a
    /// tool call or with thinking leaves the usual header before its end.
    /// </summary>
    private static int CommonHeader(ReadOnlySpan<char> text, string header)
    {
        var length = text.CommonPrefixLength(header);
        while (length > 0 && (char.IsLetterOrDigit(text[length - 1]) || text[length - 1] is '_' or '|' or '<' or '[' or '\uFF5C'))
            length--;
        return length;
    }

    /// <summary>
    /// What the template writes before an assistant's words when asked for a generation prompt (or, if it does not listen,
    /// always); null when that is nothing or cannot be told. Worked out for the first assistant message and used for all.
    /// </summary>
    private string? Prompt(int message)
    {
        if (_promptIsKnown)
            return _prompt;
        _promptIsKnown = true;
        Message[] before = [.. _messages.Take(message)];
        return _prompt = PromptAfter(before) ?? PromptAfter([new Message { Role = "user", Content = Mark }]);
    }

    private string? PromptAfter(Message[] before)
    {
        if (before.Length == 0 || TryRender(before, addGenerationPrompt: true) is not { } with
            || TryRender(before, addGenerationPrompt: false) is not { } without)
            return null;
        var prompt = AfterMessages(with);
        if (string.IsNullOrWhiteSpace(prompt) && with.Text.StartsWith(without.Text, StringComparison.Ordinal))
            prompt = with.Text[without.Text.Length..];
        return string.IsNullOrWhiteSpace(prompt) ? null : prompt;
    }

    private static string AfterMessages(RenderedTemplate rendered) =>
        rendered.Turns.Count > 0 ? rendered.Text[rendered.Turns[^1].Range.End..] : "";

    private List<Message> Marked(int message) =>
        _messages.Select((each, i) => i == message ? new Message { Role = each.Role, Content = Mark } : each).ToList();

    /// <summary>What stands before the mark in its message's turn.</summary>
    private string? MarkedHeader(IReadOnlyList<Message> marked)
    {
        if (TryRender(marked, addGenerationPrompt: false) is not { } rendered)
            return null;
        var at = rendered.Text.IndexOf(Mark, StringComparison.Ordinal);
        foreach (var turn in rendered.Turns)
        {
            if (at >= turn.Range.Start && at < turn.Range.End)
                return rendered.Text[turn.Range.Start..at];
        }
        return null;
    }

    private RenderedTemplate? TryRender(IReadOnlyList<Message> messages, bool addGenerationPrompt)
    {
        try
        {
            return _template.Render(messages, _options with { AddGenerationPrompt = addGenerationPrompt, ContinueFinalMessage = false });
        }
        catch (TemplateException)
        {
            return null;
        }
    }

    private static UserErrorException Unclear(int message, string why) => new(
        $"the chat template does not show which words are the assistant's: message {message} {why}. "
        + "Put {% generation %} and {% endgeneration %} around the assistant's words in the template, or train on all tokens.");
}
