using System.Text;
using Handbook.Tokenizers.Unicode;

namespace Handbook.Tokenizers.Normalizers;

/// <summary>One of Unicode's four normalization forms.</summary>
internal sealed class UnicodeNormalizer(bool compose, bool compatibility) : Normalizer
{
    /// <inheritdoc/>
    public override void Normalize(TextPiece piece)
    {
        if (!LeavesUnchanged(piece.Text))
            piece.Transform(compose ? UnicodeForms.Compose(piece.Text, compatibility) : UnicodeForms.Decompose(piece.Text, compatibility));
    }

    /// <inheritdoc/>
    public override bool LeavesUnchanged(ReadOnlySpan<char> text) =>
        Ascii.IsValid(text) || (compose && !compatibility && !NormalizationData.Instance.MayChangeUnderNfc(text));
}
