using System.Globalization;
using System.Text;

namespace Handbook.Data.Cleaning;

/// <summary>
/// The words of a text as 64-bit hashes: letters and digits, lower case, everything else a separator. Runs of words hash by
/// position, so the same run has the same hash wherever it stands.
/// </summary>
internal static class WordHashes
{
    private const ulong Offset = 0xcbf29ce484222325;
    private const ulong Prime = 0x100000001b3;
    private const ulong RunBase = SplitMix.Step;

    /// <summary>A hash for each word.</summary>
    public static List<ulong> Of(string text)
    {
        var words = new List<ulong>();
        var hash = Offset;
        var inWord = false;
        foreach (var rune in text.EnumerateRunes())
        {
            if (Rune.IsLetterOrDigit(rune) || Rune.GetUnicodeCategory(rune) == UnicodeCategory.NonSpacingMark)
            {
                hash = (hash ^ (uint)Rune.ToLowerInvariant(rune).Value) * Prime;
                inWord = true;
            }
            else if (inWord)
            {
                words.Add(SplitMix.Mix(hash));
                (hash, inWord) = (Offset, false);
            }
        }
        if (inWord)
            words.Add(SplitMix.Mix(hash));
        return words;
    }

    /// <summary>A hash for each run of <paramref name="length"/> words; none when there are fewer.</summary>
    public static IEnumerable<ulong> Runs(List<ulong> words, int length)
    {
        var power = 1UL;
        for (var i = 1; i < length; i++)
            power *= RunBase;
        var hash = 0UL;
        for (var i = 0; i < words.Count; i++)
        {
            if (i >= length)
                hash -= words[i - length] * power;
            hash = hash * RunBase + words[i];
            if (i >= length - 1)
                yield return SplitMix.Mix(hash);
        }
    }

    /// <summary>One hash for all words in order.</summary>
    public static ulong Whole(List<ulong> words)
    {
        var hash = (ulong)words.Count;
        foreach (var word in words)
            hash = hash * RunBase + word;
        return SplitMix.Mix(hash);
    }
}
