namespace Handbook.Tokenizers.Models;

/// <summary>A token a word.</summary>
internal sealed class WordLevelModel : TokenModel
{
    private readonly string _unknown;

    /// <summary>Takes the vocabulary and the token for words outside it.</summary>
    public WordLevelModel(Vocabulary vocabulary, string unknown) => (Vocabulary, _unknown) = (vocabulary, unknown);

    /// <inheritdoc/>
    public override Vocabulary Vocabulary { get; }

    /// <inheritdoc/>
    public override void Tokenize(ReadOnlySpan<char> piece, List<PieceToken> output)
    {
        var id = Vocabulary.Find(piece);
        if (id < 0)
            id = Vocabulary.Find(_unknown);
        if (id < 0)
            throw NoUnknownToken(_unknown);
        output.Add(new PieceToken(id, 0, piece.Length));
    }
}

/// <summary>The longest token a word begins with, and so on with the rest (Wu et al. 2016; BERT's WordPiece).</summary>
internal sealed class WordPieceModel : TokenModel
{
    private readonly string _unknown;
    private readonly string _prefix;
    private readonly int _longestWord;

    /// <summary>
    /// Takes the vocabulary, the token for words that cannot be spelled, the prefix of continuations and the longest word.
    /// </summary>
    public WordPieceModel(Vocabulary vocabulary, string unknown, string prefix, int longestWord) =>
        (Vocabulary, _unknown, _prefix, _longestWord) = (vocabulary, unknown, prefix, longestWord);

    /// <inheritdoc/>
    public override Vocabulary Vocabulary { get; }

    /// <inheritdoc/>
    public override void Tokenize(ReadOnlySpan<char> piece, List<PieceToken> output)
    {
        var before = output.Count;
        for (var start = 0; start < piece.Length;)
        {
            var end = CountCharacters(piece) > _longestWord ? start : LongestFrom(piece, start, output);
            if (end > start)
            {
                start = end;
                continue;
            }
            output.RemoveRange(before, output.Count - before);
            var unknown = Vocabulary.Find(_unknown);
            if (unknown < 0)
                throw NoUnknownToken(_unknown);
            output.Add(new PieceToken(unknown, 0, piece.Length));
            return;
        }
    }

    private int LongestFrom(ReadOnlySpan<char> piece, int start, List<PieceToken> output)
    {
        Span<char> buffer = new char[_prefix.Length + piece.Length - start];
        var prefix = start > 0 ? _prefix.Length : 0;
        _prefix.AsSpan(0, prefix).CopyTo(buffer);
        piece[start..].CopyTo(buffer[prefix..]);
        for (var end = piece.Length; end > start; end--)
        {
            if (end < piece.Length && char.IsLowSurrogate(piece[end]))
                continue;
            if (Vocabulary.Find(buffer[..(prefix + end - start)]) is >= 0 and var id)
            {
                output.Add(new PieceToken(id, start, end));
                return end;
            }
        }
        return start;
    }

    private static int CountCharacters(ReadOnlySpan<char> text)
    {
        var count = 0;
        foreach (var unit in text)
            count += char.IsLowSurrogate(unit) ? 0 : 1;
        return count;
    }
}
