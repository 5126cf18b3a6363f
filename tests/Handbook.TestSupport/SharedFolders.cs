namespace Handbook.TestSupport;

/// <summary>
/// Where golden vectors and real data lie: <c>HANDBOOK_GOLDEN</c> and <c>HANDBOOK_DATA</c>, by default
/// <c>../shared/golden</c> and <c>../shared/data</c> beside the checkout.
/// </summary>
public static class SharedFolders
{
    /// <summary>The checkout's root: the folder of Handbook.slnx.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The folder of golden vectors.</summary>
    public static string Golden { get; } =
        Environment.GetEnvironmentVariable("HANDBOOK_GOLDEN") ?? Path.GetFullPath(Path.Combine(Root, "..", "shared", "golden"));

    /// <summary>The folder of real data.</summary>
    public static string Data { get; } =
        Environment.GetEnvironmentVariable("HANDBOOK_DATA") ?? Path.GetFullPath(Path.Combine(Root, "..", "shared", "data"));

    /// <summary>True when <c>HANDBOOK_GOLDEN</c> is unset: then every sub-folder a test names must be there.</summary>
    public static bool IsDefaultGolden { get; } = Environment.GetEnvironmentVariable("HANDBOOK_GOLDEN") is null;

    /// <summary>Files of a golden sub-folder, sorted; none when another golden folder lacks it.</summary>
    public static IReadOnlyList<string> GoldenFiles(string subfolder, string pattern)
    {
        var folder = Path.Combine(Golden, subfolder);
        if (!Directory.Exists(folder))
            return IsDefaultGolden ? throw new DirectoryNotFoundException($"{folder}: the golden vectors are missing") : [];
        var files = Directory.GetFiles(folder, pattern);
        Array.Sort(files, StringComparer.Ordinal);
        return files;
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Handbook.slnx")))
                return folder.FullName;
        }
        throw new DirectoryNotFoundException("Handbook.slnx was not found above " + AppContext.BaseDirectory);
    }
}
