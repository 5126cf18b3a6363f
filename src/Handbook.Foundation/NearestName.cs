namespace Handbook;

/// <summary>Finds the name a person probably meant.</summary>
public static class NearestName
{
    // A stranger's file may have a million names, or one of a million letters: a hint is worth a few milliseconds.
    private const int LongestName = 256;
    private const long MostWork = 20_000_000;

    /// <summary>
    /// The candidate with the smallest edit distance (insertions, deletions, substitutions and swaps of neighbours; case
    /// ignored), or null when even the best one is further than a third of the longer name's length.
    /// </summary>
    public static string? Find(string given, IEnumerable<string> candidates)
    {
        string? best = null;
        var bestDistance = int.MaxValue;
        var work = 0L;
        foreach (var candidate in candidates)
        {
            // Lengths alone put it out of reach, or it is no name that a person types.
            if (Math.Abs(candidate.Length - given.Length) > Reach(given, candidate)
                || Math.Max(candidate.Length, given.Length) > LongestName)
                continue;
            if ((work += (long)candidate.Length * given.Length) > MostWork)
                break;
            var distance = Distance(given.ToLowerInvariant(), candidate.ToLowerInvariant());
            if (distance < bestDistance)
                (best, bestDistance) = (candidate, distance);
        }
        return best is not null && bestDistance <= Reach(given, best) ? best : null;
    }

    private static int Reach(string given, string candidate) => Math.Max(2, Math.Max(given.Length, candidate.Length) / 3);

    /// <summary>" Did you mean X?" with a leading space, or an empty text when nothing is near.</summary>
    public static string Hint(string given, IEnumerable<string> candidates) =>
        Find(given, candidates) is { } name ? $" Did you mean {name}?" : "";

    /// <summary>The complaint about a name that there is not.</summary>
    /// <param name="complaint">Where it was given, and what it is not.</param>
    /// <param name="given">The name.</param>
    /// <param name="names">The names that there are.</param>
    public static UserErrorException Unknown(string complaint, string given, IEnumerable<string> names) =>
        new($"{complaint}; there are {string.Join(", ", names)}.{Hint(given, names)}");

    /// <summary>Optimal string alignment distance.</summary>
    public static int Distance(string a, string b)
    {
        var rows = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++) rows[i, 0] = i;
        for (var j = 0; j <= b.Length; j++) rows[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var substitution = rows[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                var distance = Math.Min(substitution, Math.Min(rows[i - 1, j], rows[i, j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    distance = Math.Min(distance, rows[i - 2, j - 2] + 1);
                rows[i, j] = distance;
            }
        }
        return rows[a.Length, b.Length];
    }
}
