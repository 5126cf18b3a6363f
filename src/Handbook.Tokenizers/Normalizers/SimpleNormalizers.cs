using Handbook.Tokenizers.Scanning;

namespace Handbook.Tokenizers.Normalizers;

/// <summary>Puts a string before every piece that is not empty.</summary>
internal sealed class PrependNormalizer(string prefix) : Normalizer
{
    /// <summary>What is put in front.</summary>
    public string Prefix { get; } = prefix;

    /// <inheritdoc/>
    public override void Normalize(TextPiece piece) => piece.Prepend(Prefix);
}

/// <summary>Replaces every match of a pattern.</summary>
internal sealed class ReplaceNormalizer(SplitPattern pattern, string content) : Normalizer
{
    /// <summary>What is replaced.</summary>
    public SplitPattern Pattern { get; } = pattern;

    /// <summary>What it becomes.</summary>
    public string Content { get; } = content;

    /// <inheritdoc/>
    public override void Normalize(TextPiece piece) => piece.Replace(Pattern.Find(piece.Text), Content);
}

/// <summary>Spells bytes as GPT-2's printable characters.</summary>
internal sealed class ByteLevelNormalizer : Normalizer
{
    /// <inheritdoc/>
    public override void Normalize(TextPiece piece) => ToByteCharacters(piece);

    /// <summary>Replaces every character by those of its UTF-8 bytes, which all keep its range.</summary>
    internal static void ToByteCharacters(TextPiece piece)
    {
        var changes = new List<(int, int)>(piece.Length);
        Span<byte> bytes = stackalloc byte[4];
        for (var i = 0; i < piece.Length;)
        {
            var codePoint = CharClasses.CodePointAt(piece.Text, i, out var length);
            var count = new System.Text.Rune(codePoint).EncodeToUtf8(bytes);
            for (var k = 0; k < count; k++)
                changes.Add((ByteAlphabet.ToChar(bytes[k]), k > 0 ? 1 : 0));
            i += length;
        }
        piece.Transform(changes);
    }
}
