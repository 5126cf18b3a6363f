using System.Text.Json;
using System.Text.Json.Nodes;
using Handbook.Models.Configuration;

namespace Handbook.Models.Architectures;

/// <summary>The architectures that are supported: one row each.</summary>
public static class ArchitectureTable
{
    /// <summary>Rows by <c>model_type</c>.</summary>
    public static IReadOnlyDictionary<string, Architecture> Rows { get; } =
        new[]
        {
            LlamaArchitecture.Row,
            MistralArchitecture.Dense,
            MistralArchitecture.Routed,
            GemmaArchitecture.First,
            GemmaArchitecture.Second,
            Gemma3Architecture.Text,
            Gemma3Architecture.WithVision,
            QwenArchitecture.Second,
            QwenArchitecture.Third,
            Qwen3MoeArchitecture.Row,
            SmolLm3Architecture.Row,
            Starcoder2Architecture.Row,
            Phi3Architecture.Row,
            Olmo2Architecture.Row,
            Gpt2Architecture.Row,
            Cohere2Architecture.Row,
            GptOssArchitecture.Row,
        }.ToDictionary(row => row.ModelType);

    /// <summary>The row for a configuration.</summary>
    /// <param name="json">The content of <c>config.json</c>.</param>
    /// <param name="path">Its name for messages.</param>
    /// <exception cref="UserErrorException"><c>model_type</c> is missing or not supported, or the class is another one.</exception>
    public static Architecture Find(JsonObject json, string path)
    {
        var node = json["model_type"];
        if (node is null || node.GetValueKind() != JsonValueKind.String)
            throw new UserErrorException($"{path}: model_type is missing; it says which architecture the weights belong to.");
        var modelType = node.GetValue<string>();
        if (!Rows.TryGetValue(modelType, out var row))
            throw new UserErrorException(
                $"{path}: model_type \"{modelType}\" is not supported; {string.Join(", ", Rows.Keys.Order(StringComparer.Ordinal))} "
                    + $"{(Rows.Count == 1 ? "is" : "are")}.{NearestName.Hint(modelType, Rows.Keys)}");
        CheckClass(row, json, path);
        return row;
    }

    /// <summary>Reads a configuration by its architecture's rules.</summary>
    /// <exception cref="UserErrorException">Not supported, or fields are wrong.</exception>
    public static ModelConfig ReadConfig(JsonObject json, string path) => Find(json, path).ReadConfig(json, path);

    // A class of its own is how checkpoints with code of their own announce themselves.
    private static void CheckClass(Architecture row, JsonObject json, string path)
    {
        if (json["architectures"] is not JsonArray { Count: > 0 } classes)
            return;
        string[] known = [row.CausalClass, row.ClassificationClass, row.BaseClass, .. row.OtherClasses];
        var name = classes[0]?.GetValueKind() == JsonValueKind.String ? classes[0]!.GetValue<string>() : "";
        if (!known.Contains(name))
            throw new UserErrorException(
                $"{path}: architectures names {name}, which is not supported for {row.ModelType}; {string.Join(", ", known)} are. Code of "
                    + "a model repository is never run.");
    }
}
