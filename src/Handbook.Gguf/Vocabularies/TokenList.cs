using System.Globalization;
using Handbook.Gguf.Format;
using Handbook.Tokenizers;

namespace Handbook.Gguf.Vocabularies;

/// <summary>llama.cpp's kinds of tokens (<c>llama_token_type</c>).</summary>
internal enum TokenKind
{
    /// <summary>Ordinary.</summary>
    Normal = 1,
    /// <summary>Stands for what is not in the vocabulary.</summary>
    Unknown = 2,
    /// <summary>Special: found in templates, shown to nobody.</summary>
    Control = 3,
    /// <summary>Added: always found whole.</summary>
    UserDefined = 4,
    /// <summary>A row of the embedding that no token has.</summary>
    Unused = 5,
    /// <summary>A byte, <c>&lt;0x00&gt;</c> to <c>&lt;0xFF&gt;</c>.</summary>
    Byte = 6,
}

/// <summary>Texts and kinds of all tokens: one for each row of the embedding, which is what llama.cpp asks for.</summary>
internal sealed class TokenList
{
    private readonly HashSet<string> known = new(StringComparer.Ordinal);

    /// <summary>Takes a tokenizer's tokens.</summary>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="rows">Rows of the embedding, at least as many as tokens.</param>
    /// <param name="kindOf">The kind of a token that is not an added one.</param>
    public TokenList(Tokenizer tokenizer, int rows, Func<string, TokenKind> kindOf)
    {
        (Texts, Kinds) = (new string[rows], new int[rows]);
        for (var id = 0; id < rows; id++)
        {
            var text = tokenizer.IdToToken(id);
            var kind = text is null ? TokenKind.Unused
                : tokenizer.AddedTokens.TryGetValue(id, out var added) ? KindOf(added) : kindOf(text);
            // llama.cpp loads no vocabulary in which a text occurs twice, or is empty.
            if (string.IsNullOrEmpty(text) || !known.Add(text))
                (text, kind) = (string.Create(CultureInfo.InvariantCulture, $"[PAD{id}]"), TokenKind.Unused);
            (Texts[id], Kinds[id]) = (text, (int)kind);
        }
        if (tokenizer.UnkId is { } unknown && unknown < rows && tokenizer.IsSpecial(unknown))
            Kinds[unknown] = (int)TokenKind.Unknown;
    }

    /// <summary>Texts by id.</summary>
    public string[] Texts { get; }

    /// <summary>Kinds by id.</summary>
    public int[] Kinds { get; }

    /// <summary>Adds them to a file's keys.</summary>
    public void AddTo(GgufMetadata metadata)
    {
        metadata.Add("tokenizer.ggml.tokens", Texts);
        metadata.Add("tokenizer.ggml.token_type", (ReadOnlySpan<int>)Kinds);
    }

    private static TokenKind KindOf(AddedToken token) => token.Special ? TokenKind.Control : TokenKind.UserDefined;
}
