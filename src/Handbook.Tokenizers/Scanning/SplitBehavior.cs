namespace Handbook.Tokenizers.Scanning;

/// <summary>What becomes of the matches when text is split at them.</summary>
internal enum SplitBehavior
{
    /// <summary>Each match and each stretch between matches is a piece.</summary>
    Isolated,

    /// <summary>Matches are left out.</summary>
    Removed,

    /// <summary>A match goes to the piece before it.</summary>
    MergedWithPrevious,

    /// <summary>A match goes to the piece after it.</summary>
    MergedWithNext,

    /// <summary>Neighbouring matches form one piece.</summary>
    Contiguous,
}

/// <summary>Turns matches into pieces.</summary>
internal static class Splitting
{
    /// <summary>Ranges of the pieces, empty ones left out.</summary>
    public static List<PatternPart> Apply(List<PatternPart> parts, SplitBehavior behavior)
    {
        var pieces = behavior switch
        {
            SplitBehavior.Isolated => parts,
            SplitBehavior.Removed => parts.FindAll(part => !part.IsMatch),
            SplitBehavior.Contiguous => Merge(parts, (isMatch, previous) => isMatch == previous, forward: true),
            SplitBehavior.MergedWithPrevious => Merge(parts, (isMatch, previous) => isMatch && !previous, forward: true),
            SplitBehavior.MergedWithNext => Merge(parts, (isMatch, previous) => isMatch && !previous, forward: false),
            _ => throw new ArgumentOutOfRangeException(nameof(behavior), behavior, "unknown behaviour"),
        };
        return pieces.FindAll(part => part.Start < part.End);
    }

    /// <summary>Joins a part to the one visited before it where <paramref name="joins"/>(is a match, was one) holds.</summary>
    private static List<PatternPart> Merge(List<PatternPart> parts, Func<bool, bool, bool> joins, bool forward)
    {
        var merged = new List<PatternPart>(parts.Count);
        var previous = false;
        for (var i = 0; i < parts.Count; i++)
        {
            var part = parts[forward ? i : parts.Count - 1 - i];
            if (joins(part.IsMatch, previous) && merged.Count > 0)
                merged[^1] = forward ? merged[^1] with { End = part.End } : merged[^1] with { Start = part.Start };
            else
                merged.Add(part);
            previous = part.IsMatch;
        }
        if (!forward)
            merged.Reverse();
        return merged;
    }
}
