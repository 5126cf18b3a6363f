namespace Handbook.Tokenizers.Unicode;

/// <summary>
/// Unicode normalization forms (UAX 15) with, for each character, its change against the old text as
/// <see cref="TextPiece.Transform"/> takes it.
/// </summary>
internal static class UnicodeForms
{
    private const int SyllableStart = 0xAC00, LeadStart = 0x1100, VowelStart = 0x1161, TrailStart = 0x11A7;
    private const int VowelCount = 21, TrailCount = 28, SyllableCount = 11172;

    /// <summary>The text decomposed: NFD, or NFKD with <paramref name="compatibility"/>.</summary>
    public static List<(int CodePoint, int Change)> Decompose(ReadOnlySpan<char> text, bool compatibility)
    {
        var output = new List<(int CodePoint, int Change)>(text.Length);
        for (var i = 0; i < text.Length;)
        {
            var codePoint = CharClasses.CodePointAt(text, i, out var length);
            var first = output.Count;
            AddDecomposed(codePoint, compatibility, output);
            for (var k = first + 1; k < output.Count; k++)
                output[k] = (output[k].CodePoint, 1);
            i += length;
        }
        Reorder(output);
        return output;
    }

    /// <summary>The text composed: NFC, or NFKC with <paramref name="compatibility"/>.</summary>
    public static List<(int CodePoint, int Change)> Compose(ReadOnlySpan<char> text, bool compatibility)
    {
        var characters = Decompose(text, compatibility);
        var output = new List<(int CodePoint, int Change)>(characters.Count);
        var starter = -1;
        var lastClass = 0;
        foreach (var (codePoint, change) in characters)
        {
            var ownClass = NormalizationData.Instance.ClassOf(codePoint);
            // Blocked when something of the same or a higher class, or another starter, lies between (UAX 15, D115).
            var adjacent = starter >= 0 && starter == output.Count - 1;
            if (starter >= 0 && (adjacent || lastClass < ownClass) && (adjacent || lastClass != 0)
                && ComposePair(output[starter].CodePoint, codePoint) is >= 0 and var composed)
            {
                output[starter] = (composed, output[starter].Change + change - 1);
                continue;
            }
            if (ownClass == 0)
                starter = output.Count;
            lastClass = ownClass;
            output.Add((codePoint, change));
        }
        return output;
    }

    private static void AddDecomposed(int codePoint, bool compatibility, List<(int, int)> output)
    {
        var syllable = codePoint - SyllableStart;
        if (syllable is >= 0 and < SyllableCount)
        {
            output.Add((LeadStart + syllable / (VowelCount * TrailCount), 0));
            output.Add((VowelStart + syllable % (VowelCount * TrailCount) / TrailCount, 0));
            if (syllable % TrailCount != 0)
                output.Add((TrailStart + syllable % TrailCount, 0));
            return;
        }
        if (codePoint < 0xA0 || NormalizationData.Instance.Decomposition(codePoint, compatibility) is not { } parts)
        {
            output.Add((codePoint, 0));
            return;
        }
        foreach (var part in parts)
            AddDecomposed(part, compatibility, output);
    }

    /// <summary>Sorts runs of combining marks by class, keeping the order of equal ones.</summary>
    private static void Reorder(List<(int CodePoint, int Change)> characters)
    {
        var data = NormalizationData.Instance;
        for (var i = 0; i < characters.Count;)
        {
            if (data.ClassOf(characters[i].CodePoint) == 0)
            {
                i++;
                continue;
            }
            var end = i + 1;
            while (end < characters.Count && data.ClassOf(characters[end].CodePoint) != 0)
                end++;
            if (end - i > 1)
            {
                var sorted = characters.GetRange(i, end - i).OrderBy(item => data.ClassOf(item.CodePoint)).ToList();
                for (var k = 0; k < sorted.Count; k++)
                    characters[i + k] = sorted[k];
            }
            i = end;
        }
    }

    private static int ComposePair(int first, int second)
    {
        var (lead, vowel) = (first - LeadStart, second - VowelStart);
        if (lead is >= 0 and < 19 && vowel is >= 0 and < VowelCount)
            return SyllableStart + (lead * VowelCount + vowel) * TrailCount;
        var (syllable, trail) = (first - SyllableStart, second - TrailStart);
        if (syllable is >= 0 and < SyllableCount && syllable % TrailCount == 0 && trail is > 0 and < TrailCount)
            return first + trail;
        return NormalizationData.Instance.Compose(first, second);
    }
}
