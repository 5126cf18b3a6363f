using Handbook.Gguf.Format;

namespace Handbook.Gguf.Vocabularies;

/// <summary>Byte-level BPE: llama.cpp's <c>gpt2</c>.</summary>
internal static class ByteLevelVocabulary
{
    /// <summary>Adds the keys.</summary>
    /// <exception cref="UserErrorException">llama.cpp has no such tokenizer.</exception>
    public static void Add(GgufMetadata metadata, TokenizerFile file, int rows, ICollection<string> notes)
    {
        var name = PreTokenizerNames.Find(file);
        CheckNormalizers(file, notes);
        if (TokenizerFile.Flag(file.PreTokenizers[^1], "add_prefix_space", true))
            throw file.Refused("it puts a space before a text (add_prefix_space)");
        if (TokenizerFile.Flag(file.Model, "ignore_merges", false) && !PreTokenizerNames.IgnoresMerges(name))
            {
            notes.Add("the tokenizer takes whole words from its vocabulary (ignore_merges), llama.cpp merges: a word that merges do "
                + "not make gives other tokens there");
        }
        if (!TokenizerFile.Flag(file.Model, "ignore_merges", false) && PreTokenizerNames.IgnoresMerges(name))
            throw file.Refused($"llama.cpp's {name} takes whole words from the vocabulary, this one merges (ignore_merges)");
        metadata.Add("tokenizer.ggml.model", "gpt2");
        metadata.Add("tokenizer.ggml.pre", name);
        new TokenList(file.Tokenizer, rows, _ => TokenKind.Normal).AddTo(metadata);
        metadata.Add("tokenizer.ggml.merges", [.. file.Merges().Select(merge => $"{merge.Left} {merge.Right}")]);
    }

    private static void CheckNormalizers(TokenizerFile file, ICollection<string> notes)
    {
        foreach (var normalizer in file.Normalizers.Select(TokenizerFile.TypeOf))
        {
            if (normalizer != "NFC")
                throw file.Refused($"it has the normalizer {normalizer}, which llama.cpp has not");
            notes.Add("the tokenizer normalises text (NFC), llama.cpp does not: text that is not NFC gives other tokens there");
        }
    }
}
