using System.Text.Json;

namespace Handbook.Data.Sources;

/// <summary>Names kinds of JSON values in messages.</summary>
internal static class JsonKind
{
    /// <summary>"a list", "a text", "null"...</summary>
    public static string Of(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number",
        JsonValueKind.True or JsonValueKind.False => "a truth value",
        _ => "null",
    };
}
