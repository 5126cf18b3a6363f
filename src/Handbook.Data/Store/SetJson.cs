using System.Text.Json.Nodes;

namespace Handbook.Data.Store;

/// <summary>A <see cref="SetSummary"/> as JSON.</summary>
internal static class SetJson
{
    public static JsonObject Write(SetSummary set) => new()
    {
        ["rows"] = set.RowCount,
        ["examples"] = set.ExampleCount,
        ["tokens"] = set.TokenCount,
        ["loss_tokens"] = set.LossTokenCount,
        ["max_length"] = set.MaxLength,
        ["isolated"] = set.Isolated,
        ["truncated"] = set.Truncated,
        ["dropped"] = set.Dropped,
        ["emptied"] = set.Emptied,
        ["split"] = set.Split,
        ["lost_tokens"] = set.LostTokens,
        ["rows_without_label"] = set.RowsWithoutLabel,
        ["without_label"] = set.WithoutLabel,
        ["without_label_examples"] = StoreManifest.Texts(set.WithoutLabelExamples),
    };

    public static SetSummary Read(JsonNode json) => new()
    {
        RowCount = json["rows"]!.GetValue<int>(),
        ExampleCount = json["examples"]!.GetValue<int>(),
        TokenCount = json["tokens"]!.GetValue<long>(),
        LossTokenCount = json["loss_tokens"]!.GetValue<long>(),
        MaxLength = json["max_length"]!.GetValue<int>(),
        Isolated = json["isolated"]!.GetValue<bool>(),
        Truncated = json["truncated"]!.GetValue<int>(),
        Dropped = json["dropped"]!.GetValue<int>(),
        Emptied = json["emptied"]!.GetValue<int>(),
        Split = json["split"]!.GetValue<int>(),
        LostTokens = json["lost_tokens"]!.GetValue<long>(),
        RowsWithoutLabel = json["rows_without_label"]!.GetValue<int>(),
        WithoutLabel = json["without_label"]!.GetValue<int>(),
        WithoutLabelExamples = StoreManifest.Texts(json["without_label_examples"]!),
    };
}
