using System.Xml.Linq;
using Handbook.TestSupport;

namespace Handbook.Conventions.Tests;

/// <summary>Who may know whom (docs/architecture.md). A new project needs a row here, and so does a new folder in it.</summary>
public class LayerTests
{
    /// <summary>
    /// Layers, and below each the folders inside. A layer may know those behind its colon and whatever they may know; so may a
    /// folder, within its layer. What stands beside the folders is what they share and what puts them together.
    /// </summary>
    private const string Table = """
        Foundation
        Torch: Foundation
        Autograd: Torch
        Models: Autograd
        Templates: Foundation
          Values
          Filters: Values
          Nodes: Filters
          Syntax: Nodes
        Tokenizers: Foundation
          Unicode
          Scanning
          Regex: Unicode, Scanning
          Normalizers: Unicode, Scanning
          PreTokenizers: Normalizers
          Models
          PostProcessors
          Decoders: Scanning
          Files: Regex, PreTokenizers, Models, PostProcessors, Decoders
          Fast: Files
          SentencePiece: Files
          Training: Files
        Gguf: Models, Tokenizers
          Quantization
          Format: Quantization
          Architectures: Format
          Adapters: Architectures
          Vocabularies: Format
        Chat: Templates, Tokenizers
          Inspection
        Data: Chat
          Random
          Sources
          Examples: Sources
          Cleaning: Random, Examples
          Mixtures: Random
          Packing: Random
          Store: Cleaning, Packing
          Preparation: Mixtures, Store
          Inspection: Preparation
        Training: Models, Data
          Options
          Progress
          Artefacts
          TensorBoard: Artefacts
          Checkpoints: Artefacts
          Schedules: Options
          Optimizers: Options
          Objectives: Options, Artefacts
          Objectives.Preference: Objectives
          Objectives.Unpaired: Objectives.Preference
          Objectives.RewardModel: Objectives
          Loop: Objectives, Optimizers, Schedules, Progress
          ReferenceStore: Objectives.Preference, Loop
          Runs: Objectives.Unpaired, Objectives.RewardModel, ReferenceStore, Checkpoints, TensorBoard
          Planning: Runs
        Benchmarks: Training
        Reports: Training
          ModelCards
          Sweeps
        Sampling: Reports
          Endpoints
          Scoring: Endpoints
          Constitutional: Scoring
        Recipes: Sampling
          Yaml
          Keys
        Quickstart: Recipes
        Cli: Quickstart, Benchmarks, Gguf
          Progress
          Doctor
          Commands: Progress, Doctor
        """;

    /// <summary>Layers whose folders have no rows yet. The list may only shrink.</summary>
    private static readonly string[] OpenInside = ["Autograd", "Models"];

    /// <summary>What each row names, by <c>Layer</c> or <c>Layer/Folder</c>.</summary>
    private static readonly Dictionary<string, string[]> Rows = Read();

    public static TheoryData<string> Layers() => [.. SourceTree.Projects.Select(Short)];

    [Theory]
    [MemberData(nameof(Layers))]
    public void ProjectFile_References_OnlyWhatItsLayerMayKnow(string layer)
    {
        var project = XDocument.Parse(SourceTree.Read($"src/Handbook.{layer}/Handbook.{layer}.csproj"));
        var references = project.Descendants("ProjectReference")
            .Select(element => Short(Path.GetFileNameWithoutExtension(element.Attribute("Include")!.Value)));
        Assert.Empty(references.Except(AllowedFor(layer)));
    }

    [Theory]
    [MemberData(nameof(Layers))]
    public void Types_Know_OnlyWhatTheirLayerAndFolderMayKnow(string layer)
    {
        var strangers = TypeReferences.Of(layer).Where(reference => reference.From.Layer != reference.To.Layer
            ? !AllowedFor(layer).Contains(reference.To.Layer)
            : !OpenInside.Contains(layer) && Row(reference.From) is { } from && Row(reference.To) is { } to && from != to
                && !AllowedFor(from).Contains(to))
            .Select(reference => $"{reference.From} knows {reference.To}").Order(StringComparer.Ordinal).ToList();
        Assert.True(strangers.Count == 0, string.Join('\n', strangers));
    }

    [Fact]
    public void Rows_NameWhatIsThere() => Assert.Empty(
        Rows.Keys.Where(row => !Directory.Exists(Path.Combine(SharedFolders.Root, "src", "Handbook." + row.Replace('.', '/')))));

    /// <summary>The row of a type's folder, or of the nearest one around it; null beside the folders.</summary>
    private static string? Row(TypePlace type)
    {
        for (var folder = type.Folder; folder.Length > 0; folder = folder[..Math.Max(0, folder.LastIndexOf('.'))])
        {
            if (Rows.ContainsKey($"{type.Layer}/{folder}"))
                return $"{type.Layer}/{folder}";
        }
        Assert.True(type.Folder.Length == 0, $"{type.Layer}/{type.Folder} has no row in the table of layers.");
        return null;
    }

    private static HashSet<string> AllowedFor(string row)
    {
        Assert.True(Rows.TryGetValue(row, out var below), $"{row} has no row in the table of layers.");
        return [.. below, .. below.SelectMany(AllowedFor)];
    }

    private static Dictionary<string, string[]> Read()
    {
        var rows = new Dictionary<string, string[]>();
        var layer = "";
        foreach (var line in Table.Split('\n'))
        {
            var parts = line.Trim().Split(": ");
            var prefix = line[0] == ' ' ? layer + "/" : "";
            layer = prefix.Length > 0 ? layer : parts[0];
            // A row stands on rows above it, so there can be no circle.
            rows.Add(prefix + parts[0], parts.Length == 1 ? [] : [.. parts[1].Split(", ").Select(name => prefix + name)]);
            Assert.All(rows[prefix + parts[0]], below => Assert.True(rows.ContainsKey(below), $"{line}: {below} has no row above."));
        }
        return rows;
    }

    private static string Short(string project) => project["Handbook.".Length..];
}
