using System.Text.Json.Nodes;
using Handbook.Templates;
using Handbook.Templates.Values;

namespace Handbook.Chat;

/// <summary>What a chat template sees besides the messages.</summary>
public sealed record ChatTemplateOptions
{
    /// <summary>Nothing but the messages.</summary>
    public static ChatTemplateOptions None { get; } = new();

    /// <summary>The tools the assistant may call, as JSON schemas; none when null.</summary>
    public JsonArray? Tools { get; init; }

    /// <summary>Documents to answer from; none when null.</summary>
    public JsonArray? Documents { get; init; }

    /// <summary>Whether the text ends with what begins an assistant turn.</summary>
    public bool AddGenerationPrompt { get; init; }

    /// <summary>
    /// Whether the text ends right behind the last message's content, with no end of turn. Excludes <see cref="AddGenerationPrompt"/>.
    /// </summary>
    public bool ContinueFinalMessage { get; init; }

    /// <summary>More variables, such as <c>enable_thinking</c>; they win over special tokens of the same name.</summary>
    public JsonObject? Arguments { get; init; }

    /// <summary>The clock of <c>strftime_now</c>; the system's when null.</summary>
    public TimeProvider? Clock { get; init; }
}

/// <summary>A chat template: messages to text, as transformers' <c>apply_chat_template(tokenize=False)</c>.</summary>
public sealed class ChatTemplate
{
    /// <summary>
    /// The ChatML template, the default where a tokenizer has none: every turn between <c>&lt;|im_start|&gt;role</c> and
    /// <c>&lt;|im_end|&gt;</c>.
    /// </summary>
    public const string ChatMl =
        "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}"
        + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

    private const string ContinueTag = "CONTINUE_FINAL_MESSAGE_TAG ";

    private readonly Template _template;
    private readonly IReadOnlyList<KeyValuePair<string, string>> _specialTokens;
    private readonly PartsProbe _parts;

    /// <summary>Reads a template.</summary>
    /// <param name="source">The Jinja text.</param>
    /// <param name="specialTokens">
    /// Names such as <c>bos_token</c> and their texts; one a tokenizer lacks is left out and so undefined.
    /// </param>
    /// <param name="limits">What the template may use up.</param>
    /// <exception cref="TemplateException">The template has a fault.</exception>
    public ChatTemplate(string source, IEnumerable<KeyValuePair<string, string>>? specialTokens = null, TemplateLimits? limits = null)
    {
        _template = Template.Parse(source, limits);
        _specialTokens = specialTokens?.ToArray() ?? [];
        _parts = new PartsProbe((messages, tools) => Render(messages, ChatTemplateOptions.None with { Tools = tools }));
    }

    /// <summary>The Jinja text.</summary>
    public string Source => _template.Source;

    /// <summary>
    /// Renders messages to text; generation spans are in order, in UTF-16 units. Content parts reach the template as parts, or as one text
    /// where it knows texts only.
    /// </summary>
    /// <exception cref="TemplateException">The template refuses these messages.</exception>
    /// <exception cref="UserErrorException">The options contradict each other or do not fit the messages.</exception>
    public RenderedTemplate Render(IReadOnlyList<Message> messages, ChatTemplateOptions? options = null) =>
        Render(ToList(messages), options ?? ChatTemplateOptions.None);

    /// <summary>Renders messages exactly as JSON holds them, whatever keys they have or lack.</summary>
    /// <exception cref="TemplateException">The template refuses these messages.</exception>
    /// <exception cref="UserErrorException">The options contradict each other or do not fit the messages.</exception>
    public RenderedTemplate Render(JsonArray messages, ChatTemplateOptions? options = null) =>
        Render((ListValue)JsonValues.FromJson(messages)!, options ?? ChatTemplateOptions.None);

    /// <summary>
    /// As <see cref="Render(IReadOnlyList{Message}, ChatTemplateOptions)"/>, with <see cref="GenerationMarks"/> in the text.
    /// </summary>
    internal string RenderMarked(IReadOnlyList<Message> messages, ChatTemplateOptions options) =>
        _template.Render(Variables(ToList(messages), options), options.Clock, marksGenerations: true).Text;

    private RenderedTemplate Render(ListValue messages, ChatTemplateOptions options) => options.ContinueFinalMessage
        ? RenderContinued(messages, options) : _template.Render(Variables(messages, options), options.Clock);

    private RenderedTemplate RenderContinued(ListValue messages, ChatTemplateOptions options)
    {
        if (options.AddGenerationPrompt)
            throw new UserErrorException("continue_final_message and add_generation_prompt exclude each other: one continues the last "
                + "message, the other begins a new one.");
        if (messages.Items is not [.., DictValue last] || !last.TryGetValue("content", out var content) || content is not string text)
            throw new UserErrorException("continue_final_message needs a last message with text content to continue.");
        var tagged = last.Entries.Aggregate(new DictValue(), (dict, entry) =>
            dict.Set(entry.Key, entry.Key is "content" ? text + ContinueTag : entry.Value));
        var rendered = _template.Render(Variables(new ListValue([.. messages.Items.SkipLast(1), tagged]), options), options.Clock);
        var at = rendered.Text.LastIndexOf(ContinueTag.TrimEnd(), StringComparison.Ordinal);
        if (at < 0)
        {
            throw new UserErrorException("continue_final_message is set, but the chat template leaves "
                + "the last message's content out of the text, "
                + "so there is nothing to continue.");
        }
        // A template that strips the content takes the tag's trailing space; it would have taken the content's too.
        var isKept = string.CompareOrdinal(rendered.Text, at, ContinueTag, 0, ContinueTag.Length) == 0;
        var result = isKept ? rendered.Text[..at] : StringEdits.Strip(rendered.Text[..at], null, front: false, back: true);
        return new RenderedTemplate(result, [.. rendered.GenerationSpans.Where(span => span.End <= result.Length)], []);
    }

    private TemplateVariables Variables(ListValue messages, ChatTemplateOptions options)
    {
        var variables = new TemplateVariables()
            .SetValue("messages", messages)
            .Set("tools", options.Tools)
            .Set("documents", options.Documents)
            .Set("add_generation_prompt", options.AddGenerationPrompt);
        foreach (var (name, token) in _specialTokens)
            variables.Set(name, token);
        foreach (var (name, value) in options.Arguments ?? [])
            variables.Set(name, value);
        return variables;
    }

    private ListValue ToList(IReadOnlyList<Message> messages)
    {
        var values = new object?[messages.Count];
        for (var i = 0; i < values.Length; i++)
        {
            var message = messages[i];
            var role = message.GivenRole is { } given && Mentions(given) ? given : message.Role;
            var dict = new DictValue { MessageIndex = i }.Set("role", role);
            if (message.Content is not null)
                dict.Set("content", message.Content);
            foreach (var (name, value) in message.Extra ?? [])
                dict.Set(name,
                    name == "content" && value is JsonArray parts && !_parts.Knows(role)
                        ? Message.JoinParts(parts) : JsonValues.FromJson(value));
            values[i] = dict;
        }
        return new ListValue(values);
    }

    private bool Mentions(string role) =>
        Source.Contains($"'{role}'", StringComparison.Ordinal) || Source.Contains($"\"{role}\"", StringComparison.Ordinal);
}
