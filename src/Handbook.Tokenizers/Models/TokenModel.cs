using System.Runtime.InteropServices;

namespace Handbook.Tokenizers.Models;

/// <summary>A token of a piece, with its range in the piece's normalized UTF-16 code units.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct PieceToken(int Id, int Start, int End);

/// <summary>Turns one piece of pre-tokenized text into tokens. Models keep no state between calls.</summary>
internal abstract class TokenModel
{
    /// <summary>Tokens and ids, without added tokens.</summary>
    public abstract Vocabulary Vocabulary { get; }

    /// <summary>Adds the tokens of a piece that is not empty.</summary>
    /// <exception cref="UserErrorException">A character or word has no token, and there is none for the unknown.</exception>
    public abstract void Tokenize(ReadOnlySpan<char> piece, List<PieceToken> output);

    /// <summary>Says in one line, whatever the token's text is, that the unknown token is needed and not there.</summary>
    protected static UserErrorException NoUnknownToken(string token) => new(
        $"tokenizer.json: part of the text is not in the vocabulary, and neither is model.unk_token \"{token}\".".ReplaceLineEndings(" "));
}
