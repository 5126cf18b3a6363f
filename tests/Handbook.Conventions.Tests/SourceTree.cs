using Handbook.TestSupport;

namespace Handbook.Conventions.Tests;

/// <summary>The project's own files, read from the checkout.</summary>
internal static class SourceTree
{
    /// <summary>Names of the projects in <c>src/</c>.</summary>
    public static IReadOnlyList<string> Projects { get; } =
    [
        .. Directory.GetDirectories(Path.Combine(SharedFolders.Root, "src")).Select(folder => Path.GetFileName(folder)!)
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>C# files under <c>src/</c> or <c>tests/</c>, relative to the root.</summary>
    public static IEnumerable<string> CSharp(string top) => Files(top, "*.cs");

    /// <summary>Files under a folder of the root, build outputs left out, relative to the root.</summary>
    public static IEnumerable<string> Files(string top, string pattern)
    {
        var folder = Path.Combine(SharedFolders.Root, top);
        return !Directory.Exists(folder) ? [] : Directory.EnumerateFiles(folder, pattern, SearchOption.AllDirectories)
            .Select(Relative).Where(path => !path.Split('/').Any(part => part is "artifacts" or "obj" or "bin" or ".git" or "TestResults"))
            .Order(StringComparer.Ordinal);
    }

    /// <summary>The text of a file named relative to the root.</summary>
    public static string Read(string path) => File.ReadAllText(Path.Combine(SharedFolders.Root, path));

    /// <summary>The lines of a file named relative to the root.</summary>
    public static string[] Lines(string path) => File.ReadAllLines(Path.Combine(SharedFolders.Root, path));

    private static string Relative(string path) => Path.GetRelativePath(SharedFolders.Root, path).Replace('\\', '/');
}
