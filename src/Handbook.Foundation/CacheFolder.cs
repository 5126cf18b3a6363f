namespace Handbook;

/// <summary>Where work is kept that a later run can use again.</summary>
public static class CacheFolder
{
    /// <summary>The folder given, else <c>HANDBOOK_CACHE</c>, else <c>~/.cache/handbook</c>.</summary>
    public static string Root(string? given = null) => given
        ?? (Environment.GetEnvironmentVariable("HANDBOOK_CACHE") is { Length: > 0 } set
            ? set
            : Path.Combine(Home(), ".cache", "handbook"));

    // A service's account may have no home; a relative path would then depend on where it was started.
    private static string Home() => Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) is { Length: > 0 } home
        ? home
        : throw new UserErrorException(
            "HOME is not set and this user has no home folder: set HANDBOOK_CACHE to the folder where prepared data may be kept.");
}
