using System.Runtime.InteropServices;

namespace Handbook.Text.Tokenizers.Models;

/// <summary>A token of a piece, with its range in the piece's normalized UTF-16 code units.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct PieceToken(int Id, int Start, int End);

/// <summary>Turns one piece of pre-tokenized text into tokens. Models keep no state between calls.</summary>
internal abstract class TokenModel
{
    /// <summary>Tokens and ids, without added tokens.</summary>
    public abstract Vocabulary Vocabulary { get; }

    /// <summary>Adds the tokens of a piece that is not empty.</summary>
    public abstract void Tokenize(ReadOnlySpan<char> piece, List<PieceToken> output);
}
