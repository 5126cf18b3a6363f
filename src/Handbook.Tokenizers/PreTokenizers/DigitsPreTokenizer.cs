using Handbook.Tokenizers.Scanning;

namespace Handbook.Tokenizers.PreTokenizers;

/// <summary>Takes numbers (Unicode N) out of the text around them, one by one or as runs.</summary>
internal sealed class DigitsPreTokenizer(bool individualDigits) : PreTokenizer
{
    private static readonly CharacterPattern Digits = new(CharClasses.IsNumeric);

    /// <summary>Whether each digit is a piece of its own.</summary>
    public bool IndividualDigits { get; } = individualDigits;

    /// <inheritdoc/>
    public override IEnumerable<TextPiece> Split(TextPiece piece) =>
        Splitting.Apply(Digits.Find(piece.Text), IndividualDigits ? SplitBehavior.Isolated : SplitBehavior.Contiguous)
            .ConvertAll(part => piece.Slice(part.Start, part.End));
}
