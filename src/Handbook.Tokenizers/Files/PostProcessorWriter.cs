using System.Text.Json.Nodes;

namespace Handbook.Tokenizers.Files;

/// <summary>Writes the <c>post_processor</c> section that puts special tokens around a text.</summary>
internal static class PostProcessorWriter
{
    /// <summary>
    /// A template of what stands before and after a text; what corrects offsets in the section it replaces goes before it.
    /// </summary>
    public static JsonObject Frame(JsonNode? replaced, (string Text, int Id)? before, (string Text, int Id)? after)
    {
        var special = new JsonObject();
        foreach (var (text, id) in new[] { before, after }.OfType<(string, int)>())
            special[text] = new JsonObject { ["id"] = text, ["ids"] = new JsonArray(id), ["tokens"] = new JsonArray(text) };
        var template = new JsonObject
        {
            ["type"] = "TemplateProcessing",
            ["single"] = new JsonArray([.. Around("A", 0)]),
            ["pair"] = new JsonArray([.. Around("A", 0), .. Around("B", 1)]),
            ["special_tokens"] = special,
        };
        var offsets = Steps(replaced).Where(step => step["type"]?.ToString() == "ByteLevel").Select(step => step.DeepClone()).ToList();
        return offsets.Count == 0
            ? template : new JsonObject { ["type"] = "Sequence", ["processors"] = new JsonArray([.. offsets, template]) };

        IEnumerable<JsonNode> Around(string sequence, int type)
        {
            if (before is { } bos)
                yield return Piece("SpecialToken", bos.Text, type);
            yield return Piece("Sequence", sequence, type);
            if (after is { } eos)
                yield return Piece("SpecialToken", eos.Text, type);
        }
    }

    private static JsonObject Piece(string kind, string id, int type) =>
        new() { [kind] = new JsonObject { ["id"] = id, ["type_id"] = type } };

    private static IEnumerable<JsonObject> Steps(JsonNode? section) => section is not JsonObject step ? []
        : step["processors"] is JsonArray steps ? steps.SelectMany(Steps) : [step];
}
