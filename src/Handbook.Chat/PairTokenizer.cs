using System.Text.Json.Nodes;
using Handbook.Templates;
using Handbook.Tokenizers;

namespace Handbook.Chat;

/// <summary>
/// Prompts with completions, and preference pairs. In the <c>best</c> profile a prompt with its completion is tokenized as one
/// text and then parted at a token boundary: at the end of the prompt, or before a token that reaches across it, which
/// then belongs to the completion. So nothing is tokenized twice, prompt plus completion is what the model will see when it is
/// served, and both completions of a pair follow the same prompt ids.
/// </summary>
public sealed class PairTokenizer
{
    private readonly ConversationTokenizer _conversations;
    private readonly SpecialTokenRules _special;

    internal PairTokenizer(ConversationTokenizer conversations, SpecialTokenRules special) =>
        (_conversations, _special) = (conversations, special);

    private Tokenizer Tokenizer => _conversations.Tokenizer;

    private Profile Profile => _conversations.Options.Profile;

    /// <summary>A preference pair of messages.</summary>
    /// <param name="prompt">The conversation both completions continue.</param>
    /// <param name="chosen">The better completion, usually one assistant message.</param>
    /// <param name="rejected">The worse completion.</param>
    /// <param name="tools">The example's tools; those of the options when null.</param>
    /// <param name="arguments">The example's <c>chat_template_kwargs</c>, on top of the options'.</param>
    /// <exception cref="TemplateException">The template refuses these messages.</exception>
    /// <exception cref="UserErrorException">The template gives prompt and completion nothing in common.</exception>
    public TokenizedPair Tokenize(
        IReadOnlyList<Message> prompt, IReadOnlyList<Message> chosen, IReadOnlyList<Message> rejected, JsonArray? tools = null,
        JsonObject? arguments = null)
    {
        var texts = Render(prompt, [chosen, rejected], tools, arguments);
        return Tokenize(texts.Prompt, texts.Completions[0], texts.Completions[1]);
    }

    /// <summary>A prompt with one completion, of messages.</summary>
    /// <param name="prompt">The conversation so far.</param>
    /// <param name="completion">What follows, usually one assistant message.</param>
    /// <param name="tools">The example's tools; those of the options when null.</param>
    /// <param name="arguments">The example's <c>chat_template_kwargs</c>, on top of the options'.</param>
    /// <exception cref="TemplateException">The template refuses these messages.</exception>
    /// <exception cref="UserErrorException">The template gives prompt and completion nothing in common.</exception>
    public TokenizedCompletion Tokenize(
        IReadOnlyList<Message> prompt, IReadOnlyList<Message> completion, JsonArray? tools = null, JsonObject? arguments = null)
    {
        var texts = Render(prompt, [completion], tools, arguments);
        return Tokenize(texts.Prompt, texts.Completions[0]);
    }

    /// <summary>A prompt with one completion, of plain texts, joined as they are.</summary>
    public TokenizedCompletion Tokenize(string prompt, string completion)
    {
        var pair = Tokenize(prompt, completion, completion);
        return new TokenizedCompletion(pair.Prompt, pair.Chosen);
    }

    private (string Prompt, string[] Completions) Render(
        IReadOnlyList<Message> prompt, IReadOnlyList<Message>[] completions, JsonArray? tools, JsonObject? arguments)
    {
        var options = _conversations.TemplateOptions(tools, arguments);
        var template = _conversations.Templates.For(options.Tools);
        var prepared = _conversations.Prepare(prompt, template);
        if (Profile == Profile.V03)
            return (template.Render(prepared, options).Text,
                [.. completions.Select(completion => template.Render(completion, options).Text)]);
        var whole = Array.ConvertAll(completions, completion => Whole(template, [.. prepared, .. completion], options));
        var start = template.Render(prepared, options with { AddGenerationPrompt = true }).Text;
        var shared = whole.Aggregate(start.Length, (length, text) => Math.Min(length, start.AsSpan(0, length).CommonPrefixLength(text)));
        if (shared > 0 && shared < start.Length && char.IsHighSurrogate(start[shared - 1]))
            shared--;
        if (shared == 0)
            throw new UserErrorException("the chat template writes nothing before the answer, so there is no prompt to condition on; "
                + "check the example and the template.");
        return (start[..shared], Array.ConvertAll(whole, text => text[shared..]));
    }

    private static string Whole(ChatTemplate template, IReadOnlyList<Message> messages, ChatTemplateOptions options)
    {
        var rendered = template.Render(messages, options);
        RoleCheck.RequireWritten(messages, rendered);
        return rendered.Text;
    }

    /// <summary>A preference pair of plain texts, joined as they are.</summary>
    /// <exception cref="UserErrorException">The prompt has no token.</exception>
    public TokenizedPair Tokenize(string prompt, string chosen, string rejected)
    {
        if (Profile == Profile.Trl019)
            return new TokenizedPair(Encode(prompt), [.. Encode(chosen), .. Eos()], [.. Encode(rejected), .. Eos()]);
        var a = Tokenizer.Encode(prompt + chosen, addSpecialTokens: false);
        var b = ReferenceEquals(chosen, rejected) ? a : Tokenizer.Encode(prompt + rejected, addSpecialTokens: false);
        var boundary = Math.Min(Boundary(a, prompt.Length), Boundary(b, prompt.Length));
        boundary = a.Ids.AsSpan(0, boundary).CommonPrefixLength(b.Ids.AsSpan(0, boundary));
        var head = a.Ids.AsSpan(0, boundary);
        var bos = Profile == Profile.V03 ? _special.MissingBos(head) : _special.MissingPrefix(head);
        if (bos.Length + head.Length == 0)
            return Apart(prompt, chosen, rejected);
        return new TokenizedPair([.. bos, .. head], Ended(a.Ids[boundary..]), Ended(b.Ids[boundary..]));
    }

    /// <summary>
    /// A prompt so short that it melts into the completion's first token, with no BOS to stand before it: then, and only then,
    /// prompt and completions are tokenized on their own.
    /// </summary>
    private TokenizedPair Apart(string prompt, string chosen, string rejected) => Encode(prompt) is { Length: > 0 } ids
        ? new TokenizedPair(ids, Ended(Encode(chosen)), Ended(Encode(rejected)))
        : throw new UserErrorException(
            "the prompt has no token, so there is nothing to condition on; give a prompt, or a tokenizer with BOS.");

    /// <summary>How many tokens end at or before a position of the text.</summary>
    private static int Boundary(TokenizedText tokens, int position)
    {
        var count = tokens.Count;
        while (count > 0 && tokens.Offsets[count - 1].End > position)
            count--;
        return count;
    }

    private int[] Ended(int[] completion)
    {
        var hasEnd = Profile == Profile.V03
            ? completion.Length > 0 && completion[^1] == Tokenizer.EosId
            : _special.EndsTurn(completion);
        return hasEnd ? completion : [.. completion, .. Eos()];
    }

    private int[] Encode(string text) => Tokenizer.Encode(text, addSpecialTokens: false).Ids;

    private int[] Eos() => Tokenizer.EosId is { } eos ? [eos] : [];
}
