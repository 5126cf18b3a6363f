namespace Handbook.Cli.Tests;

/// <summary>
/// A folder whose prepared data lies in it too. The setting is the process's: classes that have one run one after the other.
/// </summary>
[CollectionDefinition(nameof(CacheOfItsOwn))]
public sealed class CacheOfItsOwn
{
    /// <summary>Points the cache into a folder.</summary>
    public static void In(DirectoryInfo folder) =>
        Environment.SetEnvironmentVariable("HANDBOOK_CACHE", Path.Combine(folder.FullName, "cache"));

    /// <summary>Back to the machine's.</summary>
    public static void Leave() => Environment.SetEnvironmentVariable("HANDBOOK_CACHE", null);
}
