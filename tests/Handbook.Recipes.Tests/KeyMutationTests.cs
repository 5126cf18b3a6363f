using Handbook.Recipes.Keys;
using Handbook.Recipes.Yaml;
using Handbook.Training.Options;

namespace Handbook.Recipes.Tests;

/// <summary>Each key of the table, written wrongly in every way that its row can tell.</summary>
public class KeyMutationTests
{
    private static IEnumerable<RecipeKey> Top => RecipeKeyTable.Rows.Where(row => row.Verb == KeyVerb.Honour && row.Section.Length == 0);

    private static string TaskOf(RecipeKey row) => RecipeTasks.All.First(task => row.Tasks.Includes(task));

    public static TheoryData<string> Names() => [.. Top.Select(row => row.Name)];

    public static TheoryData<string> Ranged() =>
    [
        .. Top.Where(row => row.Range is not null && row.Kind is KeyKind.Integer or KeyKind.Number).Select(row => row.Name),
    ];

    [Theory]
    [MemberData(nameof(Names))]
    public void Typo_IsCaughtWithTheRightName(string name)
    {
        var row = RecipeKeyTable.Find(name)!;
        var typo = name[..2] + name[1..];
        if (RecipeKeyTable.Find(typo) is not null)
            return;
        Assert.Contains($"r.yaml:4:1: {typo}: is not a key of a recipe. Did you mean {name}?",
            Recipes.CheckProblems($"{typo}: 1\n", TaskOf(row)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void WrongType_IsCaughtWithItsPlace(string name)
    {
        var row = RecipeKeyTable.Find(name)!;
        // No key takes a list in a list; of those that take a list, none takes a mapping in it.
        var problem = Assert.Single(Recipes.CheckProblems($"{name}: [[1]]\n", TaskOf(row))
            .Where(line => !line.Contains("is given more than once", StringComparison.Ordinal)));
        Assert.Matches($@"^r\.yaml:\d:\d+: {name}: expected .*, found a list\.", problem);
    }

    [Theory]
    [MemberData(nameof(Ranged))]
    public void OutOfRange_IsCaughtWithTheRange(string name)
    {
        var row = RecipeKeyTable.Find(name)!;
        var value = row.Range!.Holds(-1e6) ? "1000000" : "-1000000";
        var problem = Assert.Single(Recipes.CheckProblems($"{name}: {value}\n", TaskOf(row)));
        Assert.Contains(row.Range.Text, problem, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Default_IsAValueOfTheKey(string name)
    {
        var row = RecipeKeyTable.Find(name)!;
        foreach (var (task, profile) in RecipeTasks.All.SelectMany(task => Enum.GetValues<Profile>().Select(profile => (task, profile))))
        {
            if (row.Tasks.Includes(task) && row.DefaultFor(task, profile) is { } value)
                Assert.Null(ValueReader.Read(row, YamlReader.Read(value, "default")).Problem);
        }
    }
}
