using Handbook.Tokenizers.Files;
using Handbook.Tokenizers.Models;

namespace Handbook.Tokenizers;

/// <summary>
/// Encoding as it is defined, step by step over <see cref="TextPiece"/>: added tokens, normalizer, pre-tokenizer, model.
/// Works for every tokenizer; the fast encoders must give the same.
/// </summary>
internal sealed class PlainEncoder(TokenizerDefinition definition, AddedVocabulary added)
{
    /// <summary>
    /// Appends the tokens of the stretch [<paramref name="start"/>, <paramref name="end"/>), which holds no plain added token.
    /// </summary>
    public void EncodeStretch(string text, int start, int end, TokenBuffer output)
    {
        var piece = TextPiece.FromOriginal(text, start, end);
        definition.Normalizer?.Normalize(piece);
        var tokens = new List<PieceToken>();
        foreach (var part in SplitAtTokens(piece, added.NormalizedMatcher))
        {
            if (part.TokenId >= 0)
            {
                var range = part.Source(0, part.Length);
                output.Add(part.TokenId, range.Start, range.End);
                continue;
            }
            foreach (var word in definition.PreTokenizer?.Split(part) ?? [part])
                EncodeWord(word, tokens, output);
        }
    }

    private void EncodeWord(TextPiece word, List<PieceToken> tokens, TokenBuffer output)
    {
        if (word.Length == 0)
            return;
        tokens.Clear();
        definition.Model.Tokenize(word.Text, tokens);
        foreach (var token in tokens)
        {
            var range = word.Source(token.Start, token.End);
            output.Add(token.Id, range.Start, range.End);
        }
    }

    private static List<TextPiece> SplitAtTokens(TextPiece piece, TokenMatcher matcher)
    {
        if (piece.Length == 0)
            return [];
        if (matcher.IsEmpty)
            return [piece];
        var pieces = new List<TextPiece>();
        var (from, taken) = (0, 0);
        while (matcher.TryFind(piece.Text, from, taken, out var id, out var range, out from))
        {
            if (taken < range.Start)
                pieces.Add(piece.Slice(taken, range.Start));
            pieces.Add(piece.Slice(range.Start, range.End, id));
            taken = range.End;
        }
        if (taken < piece.Length)
            pieces.Add(piece.Slice(taken, piece.Length));
        return pieces;
    }
}
