using System.Text.Json;
using System.Text.Json.Nodes;
using Handbook.Models.Architectures;
using Handbook.Models.Safetensors;
using Handbook.TestSupport;
using Handbook.Torch;

namespace Handbook.Models.Tests.Golden;

/// <summary>The model folders among the golden vectors, sorted into what each can be tested for.</summary>
internal static class GoldenModels
{
    private static string Root => SharedFolders.Golden("models");

    /// <summary>Folders with a language model whose model_type is supported.</summary>
    internal static IEnumerable<string> Causal =>
        Folders().Where(folder => IsSupported(folder) && HasFile(folder, "outputs.safetensors") && !IsClassifier(folder));

    /// <summary>Folders with a sequence classifier whose model_type is supported.</summary>
    internal static IEnumerable<string> Classifiers => Folders().Where(folder => IsSupported(folder) && IsClassifier(folder));

    internal static string PathOf(string folder) => SharedFolders.Golden("models", folder);

    internal static JsonNode Meta(string folder) => JsonNode.Parse(File.ReadAllText(SharedFolders.Golden("models", folder, "meta.json")))!;

    internal static SafetensorsFile Open(string folder, string file) => new(SharedFolders.Golden("models", folder, file));

    private static string ModelType(string folder) => Config(folder).GetProperty("model_type").GetString()!;

    /// <summary>sqrt(sum of squares of a - b) / sqrt(sum of squares of b).</summary>
    internal static double RelativeDistance(Tensor actual, Tensor expected)
    {
        var (a, b) = (actual.ToArray<double>(), expected.ToArray<double>());
        var difference = a.Zip(b, (x, y) => (x - y) * (x - y)).Sum();
        return Math.Sqrt(difference) / Math.Max(Norm(expected), 1e-30);
    }

    internal static double Norm(Tensor tensor) => Math.Sqrt(tensor.ToArray<double>().Sum(x => x * x));

    private static IEnumerable<string> Folders() =>
        Directory.GetDirectories(Root).Where(folder => HasFile(folder, "config.json")).Select(folder => Path.GetFileName(folder))
            .Order(StringComparer.Ordinal);

    private static bool HasFile(string folder, string file) => File.Exists(Path.Combine(Root, folder, file));

    private static bool IsSupported(string folder) => ArchitectureTable.Rows.ContainsKey(ModelType(folder));

    private static bool IsClassifier(string folder) =>
        Config(folder).GetProperty("architectures")[0].GetString()!.EndsWith("ForSequenceClassification", StringComparison.Ordinal);

    private static JsonElement Config(string folder) =>
        JsonDocument.Parse(File.ReadAllText(Path.Combine(Root, folder, "config.json"))).RootElement;
}
