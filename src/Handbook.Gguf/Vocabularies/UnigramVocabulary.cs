using Handbook.Gguf.Format;

namespace Handbook.Gguf.Vocabularies;

/// <summary>SentencePiece's unigram model: llama.cpp's <c>t5</c>.</summary>
internal static class UnigramVocabulary
{
    /// <summary>Adds the keys.</summary>
    /// <exception cref="UserErrorException">llama.cpp has no such tokenizer.</exception>
    public static void Add(GgufMetadata metadata, TokenizerFile file, int rows, ICollection<string> notes)
    {
        if (TokenizerFile.Flag(file.Model, "byte_fallback", false))
            notes.Add("the tokenizer spells unknown characters as bytes, llama.cpp gives the unknown token");
        var unknown = file.UnknownId ?? throw file.Refused("its unigram model has no unk_id");
        var tokens = new TokenList(file.Tokenizer, rows, _ => TokenKind.Normal);
        tokens.Kinds[unknown] = (int)TokenKind.Unknown;
        metadata.Add("tokenizer.ggml.model", "t5");
        metadata.Add("tokenizer.ggml.pre", "default");
        tokens.AddTo(metadata);
        metadata.Add("tokenizer.ggml.scores", (ReadOnlySpan<float>)Scores(file, rows));
        AddSpaces(metadata, file);
    }

    private static float[] Scores(TokenizerFile file, int rows)
    {
        var scores = new float[rows];
        foreach (var (id, piece) in file.Model.GetProperty("vocab").EnumerateArray().Index())
            scores[id] = (float)piece[1].GetDouble();
        return scores;
    }

    private static void AddSpaces(GgufMetadata metadata, TokenizerFile file)
    {
        var (map, merges) = (Array.Empty<byte>(), false);
        foreach (var step in file.Normalizers)
        {
            var type = TokenizerFile.TypeOf(step);
            if (type == "Precompiled")
                map = Convert.FromBase64String(TokenizerFile.Text(step, "precompiled_charsmap")!);
            else if (type == "Replace" && TokenizerFile.Pattern(step).Regex == " {2,}")
                merges = true;
            else if (type != "Strip")
                throw file.Refused($"it has the normalizer {type}, which llama.cpp has not");
        }
        if (file.PreTokenizers is not [var space] || TokenizerFile.TypeOf(space) != "Metaspace")
            throw file.Refused("its pre-tokenizer is not Metaspace alone");
        if (map.Length > 0)
            metadata.Add("tokenizer.ggml.precompiled_charsmap", (ReadOnlySpan<byte>)map);
        metadata.Add("tokenizer.ggml.add_space_prefix", TokenizerFile.Text(space, "prepend_scheme") != "never");
        metadata.Add("tokenizer.ggml.remove_extra_whitespaces", merges);
    }
}
