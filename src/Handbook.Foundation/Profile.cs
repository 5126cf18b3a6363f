namespace Handbook;

/// <summary>Whose rules are followed where the original's eras differ (data order, BOS and EOS, truncation, packing).</summary>
public enum Profile
{
    /// <summary>The original's intent without its faults; the default.</summary>
    Best,

    /// <summary>The scripts up to April 2025 with TRL 0.7 to 0.12, faults included.</summary>
    V03,

    /// <summary>The scripts since July 2025 with TRL 0.19, faults included.</summary>
    Trl019,
}

/// <summary>Profiles as recipes and reports name them.</summary>
public static class ProfileNames
{
    private static readonly string[] Names = ["best", "v0.3", "trl-0.19"];

    /// <summary>Every profile's name, in the order of the enumeration.</summary>
    public static IReadOnlyList<string> All => Names;

    /// <summary>The value of the recipe's key <c>profile</c>.</summary>
    public static string RecipeName(this Profile profile) => Names[(int)profile];

    /// <summary>The profile of a name; the default when it is none.</summary>
    public static Profile Find(string? name) => (Profile)Math.Max(0, Array.IndexOf(Names, name));
}
