using System.Text.RegularExpressions;
using Handbook.TestSupport;

namespace Handbook.Conventions.Tests;

/// <summary>Documents point at what is there.</summary>
public partial class DocumentationTests
{
    private static IEnumerable<string> Documents =>
        new[] { "README.md", "CONTRIBUTING.md", "CHANGELOG.md" }
            .Concat(new[] { "docs", "recipes", "benchmarks", "chapters" }.SelectMany(top => SourceTree.Files(top, "*.md")));

    [Fact]
    public void RelativeLinks_Resolve()
    {
        foreach (var path in Documents)
        {
            var folder = Path.GetDirectoryName(Path.Combine(SharedFolders.Root, path))!;
            foreach (var target in Link().Matches(SourceTree.Read(path)).Select(match => match.Groups[1].Value)
                .Where(target => !target.Contains("://", StringComparison.Ordinal) && !target.StartsWith('#')))
                Assert.True(Path.Exists(Path.Combine(folder, target.Split('#')[0])), $"{path}: {target} does not exist.");
        }
    }

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();
}
