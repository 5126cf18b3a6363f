using System.Text.RegularExpressions;
using Mono.Cecil;

namespace Handbook.Conventions.Tests;

/// <summary>CONTRIBUTING's glossary says one name for a thing: the names are there, and the words they replaced are not.</summary>
public partial class GlossaryTests
{
    /// <summary>Names that hold a word of the last column, each with the reason. The list may only shrink.</summary>
    private static readonly Dictionary<string, string> Allowed = new()
    {
        ["Handbook.Data.Preparation.AnswerLimits"] = "the key of a store is a hash of this record's printed form",
    };

    /// <summary>Projects that speak of something else by such a word.</summary>
    private static readonly Dictionary<string, string> OtherMeanings = new()
    {
        ["Handbook.Quickstart"] = "an exam has questions and answers",
        ["Handbook.Reports"] = "a report shows people questions and answers",
    };

    private static readonly IReadOnlyList<TypeDefinition> Types =
    [
        .. SourceTree.Projects.Select(project => project == "Handbook.Cli" ? "handbook" : project)
            .SelectMany(name => ModuleDefinition.ReadModule(Path.Combine(AppContext.BaseDirectory, name + ".dll")).GetTypes())
            .Where(type => !type.FullName.Contains('<', StringComparison.Ordinal)
                && type.Namespace.StartsWith("Handbook", StringComparison.Ordinal) || type.DeclaringType is not null),
    ];

    [Fact]
    public void Rows_AreWhole()
    {
        var rows = Rows();
        Assert.True(rows.Count >= 30, $"{rows.Count} rows in the glossary of CONTRIBUTING.md.");
        Assert.Empty(rows.Where(row => row.Length != 4 || row[0].Length == 0 || row[1].Length == 0 || row[2].Length == 0)
            .Select(row => string.Join(" | ", row)));
        Assert.Empty(rows.CountBy(row => row[0]).Where(term => term.Value > 1).Select(term => term.Key));
    }

    [Fact]
    public void Names_AreThere() => Assert.Empty(
        Rows().SelectMany(row => Code(row[1])).Where(name => char.IsUpper(name[0])).Where(IsMissing));

    [Fact]
    public void RetiredWords_NameNothing()
    {
        var retired = Rows().SelectMany(row => Code(row[3])).Distinct().Select(word => (Word: word, Parts: Parts(word))).ToList();
        Assert.NotEmpty(retired);
        var uses = Types.Where(type => !OtherMeanings.ContainsKey(type.Module.Assembly.Name.Name)).SelectMany(Names)
            .Where(name => !Allowed.ContainsKey(name.Where)).Distinct();
        var found = uses.SelectMany(use => retired.Where(word => Holds(Parts(use.Name), word.Parts))
            .Select(word => $"{use.Where}: {use.Name} holds {word.Word}")).ToList();
        Assert.True(found.Count == 0, string.Join('\n', found));
    }

    [Fact]
    public void Allowed_AreThere() => Assert.Empty(Allowed.Keys.Where(name => Types.All(type => type.FullName != name)));

    private static List<string[]> Rows() =>
    [
        .. SourceTree.Lines("CONTRIBUTING.md").SkipWhile(line => line != "## Glossary").Skip(1)
            .TakeWhile(line => !line.StartsWith("## ", StringComparison.Ordinal))
            .Where(line => line.StartsWith("| ", StringComparison.Ordinal)).Skip(1)
            .Select(line => Array.ConvertAll(line[1..line.LastIndexOf('|')].Split('|'), cell => cell.Trim())),
    ];

    private static IEnumerable<string> Code(string cell) => InCode().Matches(cell).Select(match => match.Groups[1].Value);

    private static bool IsMissing(string name)
    {
        var parts = name.Split('.');
        return !Types.Any(type => Plain(type.Name) == parts[0] && (parts.Length == 1 || Members(type).Any(member => member == parts[1])));
    }

    private static IEnumerable<string> Members(TypeDefinition type) =>
        type.Properties.Select(one => one.Name).Concat(type.Methods.Select(one => one.Name)).Concat(type.Fields.Select(one => one.Name));

    /// <summary>Every name that the source gives: of the type, its members and their parameters, and where it stands.</summary>
    private static IEnumerable<(string Where, string Name)> Names(TypeDefinition type) =>
        Members(type).Concat(type.Methods.SelectMany(method => method.Parameters).Select(parameter => parameter.Name))
            .Append(Plain(type.Name)).Where(name => !name.Contains('<', StringComparison.Ordinal)).Select(name => (type.FullName, name));

    private static string Plain(string name) => name.Split('`')[0];

    private static string[] Parts(string name) => [.. Word().Matches(name).Select(match => match.Value.ToLowerInvariant().TrimEnd('s'))];

    private static bool Holds(string[] name, string[] word) =>
        Enumerable.Range(0, Math.Max(0, name.Length - word.Length + 1)).Any(at => name.AsSpan(at, word.Length).SequenceEqual(word));

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex InCode();

    [GeneratedRegex("[A-Z]+(?![a-z])|[A-Z]?[a-z]+")]
    private static partial Regex Word();
}
