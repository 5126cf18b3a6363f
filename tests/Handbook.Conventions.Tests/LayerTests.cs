using System.Reflection;
using System.Xml.Linq;
using NetArchTest.Rules;

namespace Handbook.Conventions.Tests;

/// <summary>Who may know whom (docs/architecture.md). A new project needs a row here.</summary>
public class LayerTests
{
    private static readonly Dictionary<string, string[]> MayKnow = new()
    {
        ["Foundation"] = [],
        ["Torch"] = ["Foundation"],
        ["Autograd"] = ["Foundation", "Torch"],
        ["Text"] = ["Foundation"],
        ["Models"] = ["Foundation", "Torch", "Autograd"],
        ["Data"] = ["Foundation", "Text"],
        ["Training"] = ["Foundation", "Torch", "Autograd", "Models", "Text", "Data"],
        ["Recipes"] = ["Foundation", "Torch", "Autograd", "Models", "Text", "Data", "Training"],
        ["Cli"] = ["Foundation", "Torch", "Autograd", "Models", "Text", "Data", "Training", "Recipes"],
    };

    public static TheoryData<string> Layers() => [.. SourceTree.Projects.Select(Short)];

    [Theory]
    [MemberData(nameof(Layers))]
    public void ProjectFile_References_OnlyWhatItsLayerMayKnow(string layer)
    {
        var project = XDocument.Parse(SourceTree.Read($"src/Handbook.{layer}/Handbook.{layer}.csproj"));
        var references = project.Descendants("ProjectReference").Select(element => Short(Path.GetFileNameWithoutExtension(element.Attribute("Include")!.Value)));
        Assert.Empty(references.Except(AllowedFor(layer)));
    }

    [Theory]
    [MemberData(nameof(Layers))]
    public void Assembly_References_OnlyWhatItsLayerMayKnow(string layer)
    {
        var references = Load(layer).GetReferencedAssemblies().Select(name => name.Name!).Where(name => name.StartsWith("Handbook.", StringComparison.Ordinal)).Select(Short);
        Assert.Empty(references.Except(AllowedFor(layer)));
    }

    [Theory]
    [MemberData(nameof(Layers))]
    public void Types_Depend_OnlyOnNamespacesTheirLayerMayKnow(string layer)
    {
        // Foundation's namespace is the root of all others, so it cannot be told apart by name.
        var strangers = MayKnow.Keys.Except(AllowedFor(layer)).Where(other => other != layer && other != "Foundation").Select(other => "Handbook." + other).ToArray();
        var result = Types.InAssembly(Load(layer)).ShouldNot().HaveDependencyOnAny(strangers).GetResult();
        Assert.True(result.IsSuccessful || strangers.Length == 0, string.Join(", ", result.FailingTypeNames ?? []));
    }

    [Fact]
    public void TextAndData_NeverSeeATensor()
    {
        Assert.DoesNotContain("Torch", MayKnow["Text"]);
        Assert.DoesNotContain("Torch", MayKnow["Data"]);
    }

    [Fact]
    public void Table_HasNoCycle()
    {
        foreach (var (layer, below) in MayKnow)
            Assert.All(below, lower => Assert.DoesNotContain(layer, MayKnow[lower]));
    }

    private static string[] AllowedFor(string layer)
    {
        Assert.True(MayKnow.TryGetValue(layer, out var allowed), $"Handbook.{layer} has no row in the table of layers.");
        return allowed;
    }

    private static Assembly Load(string layer) =>
        Assembly.LoadFrom(Path.Combine(AppContext.BaseDirectory, layer == "Cli" ? "handbook.dll" : $"Handbook.{layer}.dll"));

    private static string Short(string project) => project["Handbook.".Length..];
}
