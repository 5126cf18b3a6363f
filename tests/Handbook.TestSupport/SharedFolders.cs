namespace Handbook.TestSupport;

/// <summary>
/// Where golden vectors and other people's data lie. <c>HANDBOOK_GOLDEN</c> and <c>HANDBOOK_DATA</c> name folders; without them
/// <c>../shared/golden</c> and <c>../shared/data</c> beside the checkout are taken, and for vectors that this project's people
/// computed the archives in <c>tests/golden</c>. A test that asks for what is in none of them is skipped.
/// </summary>
public static class SharedFolders
{
    private const string Remedy =
        "other people's tokenizers, templates and texts: HANDBOOK_DATA and HANDBOOK_GOLDEN, or ../shared beside the clone";

    private static readonly string? GoldenOverride = Named("HANDBOOK_GOLDEN");

    /// <summary>The checkout's root: the folder of Handbook.slnx.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>True when no other golden folder is named: then whatever a test asks of a golden file must be in it.</summary>
    public static bool IsDefaultGolden => GoldenOverride is null;

    /// <summary>The path of a golden file or folder.</summary>
    /// <exception cref="SkippedTestException">There is none.</exception>
    public static string Golden(params string[] parts) => Existing(GoldenRoot(parts[0]), parts);

    /// <summary>The path of a file or folder of other people's data.</summary>
    /// <exception cref="SkippedTestException">There is none.</exception>
    public static string Data(params string[] parts) => Existing(DataRoot, parts);

    /// <summary>Whether there is such a file or folder of other people's data.</summary>
    public static bool HasData(params string[] parts) => Path.Exists(Path.Combine([DataRoot, .. parts]));

    /// <summary>Files of a golden sub-folder that match a pattern, sorted; at least one.</summary>
    /// <exception cref="SkippedTestException">There is none.</exception>
    public static IReadOnlyList<string> GoldenFiles(string subfolder, string pattern)
    {
        var files = Directory.GetFiles(Golden(subfolder.Split('/')), pattern);
        if (files.Length == 0)
            throw new SkippedTestException(Remedy, $"{subfolder}/{pattern}");
        Array.Sort(files, StringComparer.Ordinal);
        return files;
    }

    /// <summary>The same, or none.</summary>
    public static IReadOnlyList<string> GoldenFilesIfAny(string subfolder, string pattern) =>
        Directory.Exists(Path.Combine(GoldenRoot(subfolder.Split('/')[0]), subfolder)) ? GoldenFiles(subfolder, pattern) : [];

    /// <summary>
    /// A theory that finds no case is a mistake, unless a folder was named that has none: then it is skipped. Null for any other failure.
    /// </summary>
    public static string? ReasonOfNoCase(string message) =>
        message.StartsWith("No data found for", StringComparison.Ordinal) && (GoldenOverride ?? Named("HANDBOOK_DATA")) is { } folder
            ? new SkippedTestException(Remedy, $"a case in {folder}").Message : null;

    private static string DataRoot => Named("HANDBOOK_DATA") ?? Beside("data");

    private static string GoldenRoot(string subject)
    {
        if (GoldenOverride is not null)
            return GoldenOverride;
        var archive = Path.Combine(Root, "tests", "golden", subject + ".tar.gz");
        return Directory.Exists(Path.Combine(Beside("golden"), subject)) || !File.Exists(archive)
            ? Beside("golden")
            : GoldenArchive.Unpack(archive, Path.Combine(Root, "artifacts", "golden"));
    }

    private static string Existing(string root, string[] parts)
    {
        var path = Path.GetFullPath(Path.Combine([root, .. parts]));
        return Path.Exists(path) ? path : throw new SkippedTestException(Remedy, path);
    }

    private static string Beside(string name) => Path.GetFullPath(Path.Combine(Root, "..", "shared", name));

    private static string? Named(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } path ? path : null;

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
