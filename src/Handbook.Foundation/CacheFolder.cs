namespace Handbook;

/// <summary>Where work is kept that a later run can use again.</summary>
public static class CacheFolder
{
    /// <summary>The folder given, else <c>HANDBOOK_CACHE</c>, else <c>~/.cache/handbook</c>.</summary>
    public static string Root(string? given = null) => given
        ?? (Environment.GetEnvironmentVariable("HANDBOOK_CACHE") is { Length: > 0 } set
            ? set
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache", "handbook"));
}
