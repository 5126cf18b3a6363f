using System.Reflection;
using System.Xml.Linq;
using NetArchTest.Rules;

namespace Handbook.Conventions.Tests;

/// <summary>Who may know whom (docs/architecture.md). A new project needs a row here.</summary>
public class LayerTests
{
    /// <summary>A layer may know those that its row names, and whatever they may know.</summary>
    private static readonly Dictionary<string, string[]> StandsOn = new()
    {
        ["Foundation"] = [],
        ["Torch"] = ["Foundation"],
        ["Autograd"] = ["Torch"],
        ["Models"] = ["Autograd"],
        ["Templates"] = ["Foundation"],
        ["Tokenizers"] = ["Foundation"],
        ["Chat"] = ["Templates", "Tokenizers"],
        ["Data"] = ["Chat"],
        ["Training"] = ["Models", "Data"],
        ["Reports"] = ["Training"],
        ["Benchmarks"] = ["Training"],
        ["Sampling"] = ["Reports"],
        ["Recipes"] = ["Sampling"],
        ["Quickstart"] = ["Recipes"],
        ["Cli"] = ["Quickstart", "Benchmarks"],
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
        var strangers = StandsOn.Keys.Except(AllowedFor(layer)).Where(other => other != layer && other != "Foundation").Select(other => "Handbook." + other).ToArray();
        var result = Types.InAssembly(Load(layer)).ShouldNot().HaveDependencyOnAny(strangers).GetResult();
        Assert.True(result.IsSuccessful || strangers.Length == 0, string.Join(", ", result.FailingTypeNames ?? []));
    }

    private static HashSet<string> AllowedFor(string layer)
    {
        Assert.True(StandsOn.TryGetValue(layer, out var below), $"Handbook.{layer} has no row in the table of layers.");
        return [.. below, .. below.SelectMany(AllowedFor)];
    }

    private static Assembly Load(string layer) =>
        Assembly.LoadFrom(Path.Combine(AppContext.BaseDirectory, layer == "Cli" ? "handbook.dll" : $"Handbook.{layer}.dll"));

    private static string Short(string project) => project["Handbook.".Length..];
}
