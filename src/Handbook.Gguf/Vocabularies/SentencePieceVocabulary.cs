using System.Globalization;
using System.Text.Json;
using Handbook.Gguf.Format;

namespace Handbook.Gguf.Vocabularies;

/// <summary>
/// SentencePiece's BPE: llama.cpp's <c>llama</c>, which joins the pair whose result has the highest score. A Hugging Face folder has
/// merges in its place; a token's score is minus the place of the first merge that makes it, which puts tokens in the same order.
/// </summary>
internal static class SentencePieceVocabulary
{
    private const string Mark = "\u2581";

    // Far below every merge: what no merge makes is joined last, if ever.
    private const float Unmerged = -1e9f;

    /// <summary>Adds the keys.</summary>
    /// <exception cref="UserErrorException">llama.cpp has no such tokenizer.</exception>
    public static void Add(GgufMetadata metadata, TokenizerFile file, int rows, ICollection<string> notes)
    {
        var bytes = Enumerable.Range(0, 256).Select(value => string.Create(CultureInfo.InvariantCulture, $"<0x{value:X2}>")).ToHashSet();
        if (!TokenizerFile.Flag(file.Model, "byte_fallback", false) || bytes.Any(token => file.Tokenizer.TokenToId(token) is null))
            throw file.Refused("it is no byte-level BPE and has no token for every byte (byte_fallback)");
        var prefixes = PrefixesSpace(file, notes);
        var tokens = new TokenList(file.Tokenizer, rows, text => bytes.Contains(text) ? TokenKind.Byte : TokenKind.Normal);
        // llama.cpp looks for these before spaces become marks; in a Hugging Face tokenizer such a token is found nowhere.
        foreach (var (id, token) in file.Tokenizer.AddedTokens)
        {
            if (id < rows && !token.Special && token.Content.Contains(Mark, StringComparison.Ordinal))
                tokens.Kinds[id] = (int)TokenKind.Normal;
        }
        metadata.Add("tokenizer.ggml.model", "llama");
        metadata.Add("tokenizer.ggml.pre", "default");
        tokens.AddTo(metadata);
        metadata.Add("tokenizer.ggml.scores", (ReadOnlySpan<float>)Scores(file, tokens.Texts));
        metadata.Add("tokenizer.ggml.add_space_prefix", prefixes);
    }

    private static float[] Scores(TokenizerFile file, string[] texts)
    {
        var first = new Dictionary<string, int>(StringComparer.Ordinal);
        var rank = 0;
        foreach (var (left, right) in file.Merges())
            first.TryAdd(left + right, ++rank);
        return Array.ConvertAll(texts, text => first.TryGetValue(text, out var place) ? -place
            : new StringInfo(text).LengthInTextElements == 1 ? 0 : Unmerged);
    }

    /// <summary>Whether a text gets a space in front.</summary>
    private static bool PrefixesSpace(TokenizerFile file, ICollection<string> notes)
    {
        var prefixes = false;
        foreach (var step in file.Normalizers)
        {
            if (TokenizerFile.TypeOf(step) == "Prepend" && TokenizerFile.Text(step, "prepend") == Mark)
                prefixes = true;
            else if (!MarksSpaces(step))
                throw file.Refused($"it has the normalizer {TokenizerFile.TypeOf(step)}, which llama.cpp has not");
        }
        foreach (var step in file.PreTokenizers)
        {
            // After spaces have become marks there is none left to split at.
            if (TokenizerFile.TypeOf(step) == "Split" && TokenizerFile.Pattern(step).String == " " && file.Normalizers.Count > 0)
                continue;
            if (TokenizerFile.TypeOf(step) != "Metaspace" || TokenizerFile.Flag(step, "split", true) && file.PreTokenizers.Count > 1)
                throw file.Refused($"it has the pre-tokenizer {TokenizerFile.TypeOf(step)}, which llama.cpp has not");
            prefixes = Prefixes(step, file.Tokenizer.Settings.HasChatTemplate, notes);
        }
        return prefixes;
    }

    private static bool MarksSpaces(JsonElement step) => TokenizerFile.TypeOf(step) == "Replace"
        && TokenizerFile.Pattern(step).String == " " && TokenizerFile.Text(step, "content") == Mark;

    /// <summary>
    /// Metaspace puts a mark before every piece, before the first of a text, or before none, and never before another mark. llama.cpp puts
    /// a space before every text between special tokens, or before none. For "first" that is none when the model chats: a conversation
    /// begins with a special token, so that no text in it is the first.
    /// </summary>
    private static bool Prefixes(JsonElement metaspace, bool chats, ICollection<string> notes)
    {
        var scheme = TokenizerFile.Text(metaspace, "prepend_scheme")
            ?? (TokenizerFile.Flag(metaspace, "add_prefix_space", true) ? "always" : "never");
        if (scheme == "first" && chats)
            notes.Add("the tokenizer puts a space before a text that no special token begins, llama.cpp does not");
        else if (scheme == "first")
            notes.Add("llama.cpp puts a space before a text behind a special token, too, and before one that begins with a space");
        else if (scheme == "always")
            notes.Add("llama.cpp puts a space before a text that begins with one, too; the tokenizer does not");
        return scheme == "always" || scheme == "first" && !chats;
    }
}
