using Handbook.Models.Architectures;

namespace Handbook.Models.Weights;

/// <summary>
/// How a folder begins the names of its tensors: as the architecture does, without the prefix (a bare model), or under a part of a larger
/// model.
/// </summary>
public sealed class StoredNames
{
    private readonly IReadOnlyList<(string Ours, string Theirs)> prefixes;

    /// <summary>Finds out from the names of a folder.</summary>
    /// <param name="names">What the architecture calls its weights.</param>
    /// <param name="stored">Names of the folder's tensors.</param>
    public StoredNames(WeightNames names, IEnumerable<string> stored)
    {
        stored = [.. stored];
        prefixes = names.OtherPrefixes.FirstOrDefault(other => stored.Any(name => Begins(name, other[0].Theirs)))
            ?? (stored.Any(name => Begins(name, names.Base)) ? [] : [(names.Base, "")]);
    }

    /// <summary>The folder's name of a weight.</summary>
    public string this[string name]
    {
        get
        {
            foreach (var (ours, theirs) in prefixes)
            {
                if (Begins(name, ours))
                    return theirs + name[ours.Length..];
            }
            return name;
        }
    }

    /// <summary>The weight that the folder has under a name; the name itself where it begins as ours do.</summary>
    public string Ours(string stored)
    {
        foreach (var (ours, theirs) in prefixes)
        {
            if (theirs.Length > 0 && Begins(stored, theirs))
                return ours + stored[theirs.Length..];
        }
        return stored;
    }

    private static bool Begins(string name, string prefix) => name.StartsWith(prefix, StringComparison.Ordinal);
}
