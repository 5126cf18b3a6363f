using System.Text.Json;
using System.Text.Json.Nodes;

namespace Handbook.Data.Examples;

/// <summary>A message's content that is a list of parts; templates get it as it is.</summary>
internal static class ContentParts
{
    private static readonly (string Kind, string Words)[] Unreadable = [("image", "an image"), ("audio", "audio"), ("video", "a video")];

    /// <summary>The parts.</summary>
    /// <param name="parts">The list.</param>
    /// <param name="keepsNulls">As <see cref="MessageReader.ToNode"/> takes it.</param>
    /// <param name="problem">What is no text, in words; null when all is.</param>
    public static JsonArray Read(JsonElement parts, bool keepsNulls, out string? problem)
    {
        problem = null;
        var kept = new JsonArray();
        foreach (var part in parts.EnumerateArray())
        {
            var type = part.ValueKind == JsonValueKind.Object && part.TryGetProperty("type", out var name) ? name.ToString() : "";
            problem ??= Array.Find(Unreadable, entry => type.Contains(entry.Kind, StringComparison.OrdinalIgnoreCase)).Words;
            var node = MessageReader.ToNode(part, keepsNulls);
            // Some data sets say "value" where templates look for "text".
            if (type == "text" && node is JsonObject written && !written.ContainsKey("text") && written["value"] is JsonValue words)
                written["text"] = words.DeepClone();
            kept.Add(node);
        }
        return kept;
    }
}
