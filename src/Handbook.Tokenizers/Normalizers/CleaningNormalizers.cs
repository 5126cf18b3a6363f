using System.Globalization;
using System.Text;
using Handbook.Tokenizers.Unicode;

namespace Handbook.Tokenizers.Normalizers;

/// <summary>Small letters.</summary>
internal sealed class LowercaseNormalizer : Normalizer
{
    /// <inheritdoc/>
    public override void Normalize(TextPiece piece)
    {
        var changes = new List<(int, int)>(piece.Length);
        for (var i = 0; i < piece.Length;)
        {
            var codePoint = CharClasses.CodePointAt(piece.Text, i, out var length);
            // The one character whose small form is two (SpecialCasing.txt).
            changes.Add((codePoint == 0x130 ? 'i' : Rune.ToLowerInvariant(new Rune(codePoint)).Value, 0));
            if (codePoint == 0x130)
                changes.Add((0x307, 1));
            i += length;
        }
        piece.Transform(changes);
    }
}

/// <summary>Cuts white space off the ends.</summary>
internal sealed class StripNormalizer(bool left, bool right) : Normalizer
{
    /// <inheritdoc/>
    public override void Normalize(TextPiece piece)
    {
        var text = piece.Text;
        var (start, end) = (0, text.Length);
        while (left && start < end && char.IsWhiteSpace(text[start]))
            start++;
        while (right && end > start && char.IsWhiteSpace(text[end - 1]))
            end--;
        piece.Keep(start, end);
    }
}

/// <summary>Leaves out combining marks.</summary>
internal sealed class StripAccentsNormalizer : Normalizer
{
    /// <inheritdoc/>
    public override void Normalize(TextPiece piece) => piece.Filter(codePoint => (CharClasses.Of(codePoint) & CharKinds.Mark) == 0);
}

/// <summary>SentencePiece's <c>nmt</c> rules: control characters go, odd white space becomes a space.</summary>
internal sealed class NmtNormalizer : Normalizer
{
    /// <inheritdoc/>
    public override void Normalize(TextPiece piece)
    {
        piece.Filter(codePoint => codePoint is not ((>= 0x01 and <= 0x08) or 0x0B or (>= 0x0E and <= 0x1F) or 0x7F or 0x8F or 0x9F));
        piece.Map(codePoint => codePoint is 0x09 or 0x0A or 0x0C or 0x0D or 0x1680 or (>= 0x200B and <= 0x200F) or 0x2028 or 0x2029
            or 0x2581 or 0xFEFF or 0xFFFD ? ' ' : codePoint);
    }
}

/// <summary>What BERT does to text (google-research/bert tokenization.py).</summary>
internal sealed class BertNormalizer(bool cleanText, bool handleChinese, bool stripAccents, bool lowercase) : Normalizer
{
    private static readonly LowercaseNormalizer Lowercase = new();

    /// <inheritdoc/>
    public override void Normalize(TextPiece piece)
    {
        if (cleanText)
        {
            piece.Filter(codePoint => codePoint is not (0 or 0xFFFD) && !IsControl(codePoint));
            piece.Map(codePoint => CharClasses.IsWhiteSpace(codePoint) ? ' ' : codePoint);
        }
        if (handleChinese)
            SurroundChinese(piece);
        if (stripAccents)
        {
            piece.Transform(UnicodeForms.Decompose(piece.Text, compatibility: false));
            piece.Filter(codePoint => CharUnicodeInfo.GetUnicodeCategory(codePoint) != UnicodeCategory.NonSpacingMark);
        }
        if (lowercase)
            Lowercase.Normalize(piece);
    }

    private static void SurroundChinese(TextPiece piece)
    {
        var changes = new List<(int, int)>(piece.Length);
        for (var i = 0; i < piece.Length;)
        {
            var codePoint = CharClasses.CodePointAt(piece.Text, i, out var length);
            if (IsChinese(codePoint))
                changes.AddRange([(' ', 0), (codePoint, 1), (' ', 1)]);
            else
                changes.Add((codePoint, 0));
            i += length;
        }
        piece.Transform(changes);
    }

    private static bool IsControl(int codePoint) => codePoint is not ('\t' or '\n' or '\r')
        && CharUnicodeInfo.GetUnicodeCategory(codePoint) is UnicodeCategory.Control or UnicodeCategory.Format
            or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned or UnicodeCategory.Surrogate;

    private static bool IsChinese(int codePoint) => codePoint is (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF)
        or (>= 0x20000 and <= 0x2A6DF) or (>= 0x2A700 and <= 0x2B73F) or (>= 0x2B740 and <= 0x2B81F) or (>= 0x2B920 and <= 0x2CEAF)
        or (>= 0xF900 and <= 0xFAFF) or (>= 0x2F800 and <= 0x2FA1F);
}
