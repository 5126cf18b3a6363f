using System.Text.RegularExpressions;

namespace Handbook.Conventions.Tests;

/// <summary>Rules about files that a reader would otherwise have to watch for (CONTRIBUTING.md).</summary>
public partial class SourceRuleTests
{
    private const int MostLines = 400;
    private const int MostMethodLines = 60;
    private const int MostColumns = 140;

    /// <summary>Files that may call native code.</summary>
    private static readonly string[] NativeProjects = ["src/Handbook.Torch/", "src/Handbook.Foundation/", "src/Handbook.Distributed/"];

    /// <summary>Files with a longer method, each with the reason. The list may only shrink.</summary>
    private static readonly Dictionary<string, string> LongMethodsAllowed = new()
    {
    };

    private static IEnumerable<string> AllCSharp => SourceTree.CSharp("src").Concat(SourceTree.CSharp("tests"));

    [Fact]
    public void Files_AreShort() => Assert.Empty(
        AllCSharp.Select(path => (Path: path, Count: SourceTree.Lines(path).Length)).Where(file => file.Count > MostLines));

    [Fact]
    public void Lines_EndInTime() => Assert.Empty(AllCSharp
        .SelectMany(path => SourceTree.Lines(path).Index().Where(line => line.Item.Length > MostColumns)
            .Select(line => $"{path}:{line.Index + 1}")));

    [Fact]
    public void Methods_AreShort() => Assert.Empty(SourceTree.CSharp("src")
        .Where(path => !LongMethodsAllowed.ContainsKey(path)).SelectMany(LongMethods));

    [Fact]
    public void Namespaces_AreProjectAndFolder()
    {
        foreach (var path in AllCSharp.Where(path => Path.GetFileName(
            path) is not ("Program.cs" or "GlobalUsings.cs" or "AssemblyInfo.cs")))
        {
            var folder = Path.GetDirectoryName(path)!.Replace('\\', '/');
            var expected = folder[(folder.IndexOf('/', StringComparison.Ordinal) + 1)..].Replace('/', '.');
            if (expected.StartsWith("Handbook.Foundation", StringComparison.Ordinal)
                && !expected.Contains("Tests", StringComparison.Ordinal))
                expected = "Handbook" + expected["Handbook.Foundation".Length..];
            if (SourceTree.Read(path).Contains("[assembly:", StringComparison.Ordinal))
                continue;
            var declared = SourceTree.Lines(path).Where(line => line.StartsWith("namespace ", StringComparison.Ordinal)).ToList();
            Assert.True(declared is [var only] && only == $"namespace {expected};",
                $"{path}: expected namespace {expected}; found {string.Join(", ", declared)}");
        }
    }

    [Fact]
    public void NativeCalls_AreWhereTheyBelong() => Assert.Empty(SourceTree.CSharp("src")
        .Where(path => !NativeProjects.Any(project => path.StartsWith(project, StringComparison.Ordinal)))
        .Where(path => NativeCall().IsMatch(SourceTree.Read(path))));

    [Fact]
    public void TypeNames_SayWhatATypeIs() => Assert.Empty(SourceTree.CSharp("src")
        .SelectMany(path => TypeName().Matches(SourceTree.Read(path)).Select(match => match.Groups[1].Value))
        .Where(name => VagueName().IsMatch(name)));

    [Fact]
    public void Sources_HoldNothingUnfinished() => Assert.Empty(AllCSharp
        .Where(path => !path.StartsWith("tests/Handbook.Conventions.Tests/", StringComparison.Ordinal))
        .Where(path => Unfinished().IsMatch(SourceTree.Read(path))));

    [Fact]
    public void Files_NameNoPathOfOneMachine()
    {
        string[] patterns = ["*.cs", "*.csproj", "*.props", "*.md", "*.yaml", "*.json", "*.sh"];
        var files = new[] { "src", "tests", "docs", "recipes", "benchmarks" }
            .SelectMany(top => patterns.SelectMany(pattern => SourceTree.Files(top, pattern)))
            .Concat(["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "handbook"]);
        Assert.Empty(files.Where(path => !path.StartsWith("tests/Handbook.Conventions.Tests/", StringComparison.Ordinal))
            .Where(path => MachinePath().IsMatch(SourceTree.Read(path))));
    }

    /// <summary>Members of a file's types, nested ones too, whose braces stand more than the limit apart.</summary>
    private static IEnumerable<string> LongMethods(string path)
    {
        var lines = SourceTree.Lines(path);
        var (start, nested) = (-1, false);
        for (var i = 1; i < lines.Length; i++)
        {
            var isType = TypeName().IsMatch(lines[i - 1]);
            if (lines[i] == "    {" && isType)
                nested = true;
            else if (lines[i] == (nested ? "        {" : "    {") && !isType
                && MemberSignature().IsMatch(string.Join(' ', lines[Math.Max(0, i - 4)..i])))
                start = i;
            else if (start >= 0 && lines[i] == (nested ? "        }" : "    }"))
            {
                if (i - start - 1 > MostMethodLines)
                    yield return $"{path}:{start} has {i - start - 1} lines";
                start = -1;
            }
            if (lines[i] == "    }")
                nested = false;
        }
    }

    [GeneratedRegex(@"\)\s*(where .*)?$")]
    private static partial Regex MemberSignature();

    [GeneratedRegex(@"\[(LibraryImport|DllImport)\b|NativeLibrary\.(Load|TryLoad|GetExport)")]
    private static partial Regex NativeCall();

    [GeneratedRegex(
        @"^\s*(?:(?:public|internal|private|protected|static|sealed|abstract|partial|readonly|ref|unsafe|file)\s+)*(?:class|record|struct|"
        + @"interface|enum|record struct|record class)\s+(\w+)", RegexOptions.Multiline)]
    private static partial Regex TypeName();

    [GeneratedRegex(@"(Manager|Helper|Helpers|Utils|Util|Base)$|^Common")]
    private static partial Regex VagueName();

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|NotImplementedException)\b|\[(Fact|Theory)\([^)]*\bSkip\b")]
    private static partial Regex Unfinished();

    [GeneratedRegex(@"(?<![\w.$}/-])/(work|root)/\w|/tmp/[a-z]{2}", RegexOptions.IgnoreCase)]
    private static partial Regex MachinePath();
}
