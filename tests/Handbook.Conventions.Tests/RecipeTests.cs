using System.Text.Json.Nodes;
using Handbook.Recipes;
using Handbook.Recipes.Keys;
using Handbook.Sampling.Constitutional;
using Handbook.TestSupport;

namespace Handbook.Conventions.Tests;

/// <summary>Every recipe that is shipped reads without a problem, and every key has what help needs.</summary>
public class RecipeTests
{
    [Fact]
    public void ShippedRecipes_ReadWithoutAProblem()
    {
        foreach (var path in SourceTree.Files("recipes", "*.yaml")
            .Where(path => !path.Contains("accelerate_configs", StringComparison.Ordinal)))
        {
            var source = RecipeSource.Load([Path.Combine(SharedFolders.Root, path)]);
            var task = RecipeReader.FindTask(source);
            Assert.True(task is not null, $"{path}: neither its path nor a task key says what it is for.");
            Assert.Equal(task, RecipeReader.Check(source, task).Task);
        }
    }

    [Fact]
    public void ShippedConstitutions_HavePrinciplesAndWorkedExamples()
    {
        foreach (var path in SourceTree.Files("recipes", "*.json"))
        {
            var constitution = Constitution.Parse(JsonNode.Parse(SourceTree.Read(path)), path);
            // Every worked example is of a principle that is there.
            Assert.All(constitution.SystemChat.Chunk(6), turns => Assert.Contains(constitution.Principles, principle =>
                principle.Critic == turns[2].Content && principle.Revision == turns[4].Content));
        }
    }

    [Fact]
    public void Defaults_AreValuesOfTheirKeys()
    {
        using var folder = new TemporaryFolder();
        foreach (var row in RecipeKeyTable.Rows.Where(row => row.Verb == KeyVerb.Honour && row.Section.Length == 0))
        {
            foreach (var task in RecipeTasks.All.Where(row.Tasks.Includes)
                .Where(task => task is not (RecipeTasks.Sample or RecipeTasks.Constitution)))
            {
                if (row.DefaultFor(task, Profile.Best) is not { } value)
                    continue;
                File.WriteAllText(folder.File("r.yaml"), $"{row.Name}: {value}\n");
                var said = Record.Exception(() => RecipeReader.Check(RecipeSource.Load([folder.File("r.yaml")]), task))?.Message ?? "";
                Assert.DoesNotContain($" {row.Name}: expected", said, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void Keys_HaveADocumentationAndTargetsThatAreThere()
    {
        foreach (var row in RecipeKeyTable.Rows)
        {
            Assert.EndsWith(".", row.Doc.TrimEnd('?', ')') + (row.Doc.EndsWith('?') ? "." : ""), StringComparison.Ordinal);
            Assert.True(row.Verb != KeyVerb.Alias || RecipeKeyTable.Find(row.Target!) is not null, row.Name);
            Assert.True(row.OnlyWith is null || RecipeKeyTable.Find(row.OnlyWith) is not null, row.Name);
        }
    }

    [Fact]
    public void KeyNames_AreUnique() =>
        Assert.Equal(RecipeKeyTable.Rows.Count, RecipeKeyTable.Rows.Select(row => row.Name).Distinct().Count());
}
