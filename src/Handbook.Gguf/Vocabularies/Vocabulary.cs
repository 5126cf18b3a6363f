using Handbook.Gguf.Format;
using Handbook.Models.Configuration;
using Handbook.Models.Generation;
using Handbook.Tokenizers;

namespace Handbook.Gguf.Vocabularies;

/// <summary>A tokenizer, its special tokens and its chat template as llama.cpp reads them.</summary>
internal static class Vocabulary
{
    private const string Prefix = "tokenizer.ggml.";

    /// <summary>Adds the keys of a model that has no tokenizer: llama.cpp then takes and gives ids.</summary>
    public static void AddNone(GgufMetadata metadata) => metadata.Add(Prefix + "model", "no_vocab");

    /// <summary>Adds the keys.</summary>
    /// <param name="metadata">The file's keys.</param>
    /// <param name="file">The tokenizer.</param>
    /// <param name="config">The model's configuration: the rows of its embedding, and tokens that the tokenizer does not name.</param>
    /// <param name="defaults">What generation ends with.</param>
    /// <param name="notes">Gets what llama.cpp will do otherwise.</param>
    /// <exception cref="UserErrorException">llama.cpp has no such tokenizer, or there are more tokens than rows.</exception>
    public static void Add(
        GgufMetadata metadata, TokenizerFile file, ModelConfig config, GenerationDefaults defaults, ICollection<string> notes)
    {
        var (tokenizer, rows) = (file.Tokenizer, config.VocabularySize);
        if (tokenizer.VocabSize > rows)
            throw new UserErrorException(FormattableString.Invariant(
                $"{file.Path}: has {tokenizer.VocabSize} tokens, the model's vocabulary (vocab_size) {rows}: they do not fit."));
        switch (TokenizerFile.TypeOf(file.Model))
        {
            case "Unigram":
                UnigramVocabulary.Add(metadata, file, rows, notes);
                break;
            case "BPE" or "" when file.PreTokenizers.Any(step => TokenizerFile.TypeOf(step) == "ByteLevel"):
                ByteLevelVocabulary.Add(metadata, file, rows, notes);
                break;
            case "BPE" or "":
                SentencePieceVocabulary.Add(metadata, file, rows, notes);
                break;
            case var type:
                throw file.Refused($"its model is {type}, which no decoder of llama.cpp has");
        }
        AddSpecial(metadata, file, config, defaults, notes);
        AddFrame(metadata, tokenizer, config, defaults, notes);
        AddTemplates(metadata, tokenizer.Settings);
        NoteAddedTokens(tokenizer, notes);
    }

    private static void AddSpecial(
        GgufMetadata metadata, TokenizerFile file, ModelConfig config, GenerationDefaults defaults, ICollection<string> notes)
    {
        var (tokenizer, rows) = (file.Tokenizer, config.VocabularySize);
        void AddId(string name, int? id)
        {
            if (id is { } known && known >= 0 && known < rows)
                metadata.Add($"{Prefix}{name}_token_id", known);
        }

        var ends = StopIds(tokenizer, config, defaults);
        AddId("bos", BosId(tokenizer, config));
        // Tokens that end an answer have three places.
        AddId("eos", ends.Count > 0 ? ends[0] : null);
        AddId("eot", ends.Count > 1 ? ends[1] : null);
        AddId("eom", ends.Count > 2 ? ends[2] : null);
        if (ends.Count > 3)
            notes.Add($"{ends.Count} tokens end an answer, GGUF names three; the Modelfile stops at all");
        AddId("unknown", file.UnknownId);
        AddId("padding", tokenizer.PadId);
    }

    /// <summary>Tokens that end an answer, the tokenizer's own first.</summary>
    public static IReadOnlyList<int> StopIds(Tokenizer tokenizer, ModelConfig config, GenerationDefaults defaults)
    {
        var named = defaults.EosTokenIds.Count > 0 ? defaults.EosTokenIds : config.EosTokenIds;
        var own = tokenizer.EosId ?? (named.Count == 0 && tokenizer.Frame.After is [var only] ? only : null);
        return [.. (own is { } id ? named.Prepend(id) : named).Distinct()];
    }

    private static void NoteAddedTokens(Tokenizer tokenizer, ICollection<string> notes)
    {
        var added = tokenizer.AddedTokens.Values.ToList();
        if (added.Exists(token => token.StripLeft || token.StripRight))
            notes.Add("added tokens swallow the white space beside them (lstrip, rstrip), llama.cpp does so for models named phi-3 only");
        if (added.Exists(token => token.SingleWord))
            notes.Add("added tokens are found as whole words only (single_word), which llama.cpp does not know");
        // Found in normalized text, they are not where the text itself has them; llama.cpp looks at the text.
        if (added.Exists(token => token.Normalized && IsMissedInside(tokenizer, token)))
            notes.Add("added tokens are missed in the middle of a text (normalized), llama.cpp finds them there");
    }

    private static bool IsMissedInside(Tokenizer tokenizer, AddedToken token) =>
        tokenizer.TokenToId(token.Content) is { } id && !tokenizer.Encode("a" + token.Content, addSpecialTokens: false).Ids.Contains(id);

    // Where nobody names the token that begins a text, the one that the tokenizer puts there is meant.
    private static int? BosId(Tokenizer tokenizer, ModelConfig config) =>
        tokenizer.BosId ?? (tokenizer.Frame.Before is [var only] ? only : config.BosTokenId);

    private static void AddFrame(
        GgufMetadata metadata, Tokenizer tokenizer, ModelConfig config, GenerationDefaults defaults, ICollection<string> notes)
    {
        var (before, after) = tokenizer.Frame;
        int[] bos = BosId(tokenizer, config) is { } first ? [first] : [];
        int[] eos = [.. StopIds(tokenizer, config, defaults).Take(1)];
        var (beginsWithBos, endsWithEos) = (before.Count > 0 && before.SequenceEqual(bos), after.Count > 0 && after.SequenceEqual(eos));
        metadata.Add(Prefix + "add_bos_token", beginsWithBos);
        metadata.Add(Prefix + "add_eos_token", endsWithEos);
        if (before.Count > 0 && !beginsWithBos || after.Count > 0 && !endsWithEos)
            notes.Add("the tokenizer puts other tokens around a text than BOS and EOS, llama.cpp does not");
    }

    private static void AddTemplates(GgufMetadata metadata, TokenizerSettings settings)
    {
        const string Key = "tokenizer.chat_template";
        if (settings.ChatTemplate is { } template)
            metadata.Add(Key, template);
        if (settings.NamedChatTemplates.Count > 0)
            metadata.Add(Key + "s", [.. settings.NamedChatTemplates.Keys]);
        foreach (var (name, text) in settings.NamedChatTemplates)
            metadata.Add($"{Key}.{name}", text);
    }
}
