using System.Globalization;
using System.Numerics;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Handbook.Templates.Values;

/// <summary>JSON as Python's <c>json.loads</c> reads it: numbers without a point or exponent are ints of any size.</summary>
internal static class JsonValues
{
    private const int MaxDepth = 150;

    public static object? FromJson(JsonNode? node) => FromJson(node, 0);

    private static object? FromJson(JsonNode? node, int depth)
    {
        if (depth > MaxDepth)
            throw new UserErrorException(
                $"a message or tool holds JSON nested deeper than {MaxDepth} levels; at most {MaxDepth} are allowed.");
        switch (node)
        {
            case null: return null;
            case JsonArray array:
                var items = new object?[array.Count];
                for (var i = 0; i < items.Length; i++)
                    items[i] = FromJson(array[i], depth + 1);
                return new ListValue(items);
            case JsonObject properties:
                var dict = new DictValue(properties.Count);
                foreach (var (name, value) in properties)
                    dict.Set(name, FromJson(value, depth + 1));
                return dict;
        }
        return FromScalar(node.AsValue());
    }

    private static object? FromScalar(JsonValue value) => value.GetValueKind() switch
    {
        JsonValueKind.String => value.GetValue<string>(),
        JsonValueKind.True => Numbers.True,
        JsonValueKind.False => Numbers.False,
        JsonValueKind.Number => Number(value.ToJsonString()),
        _ => null,
    };

    private static object Number(string text)
    {
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
            return Numbers.Box(number);
        return text.AsSpan().IndexOfAny('.', 'e', 'E') < 0 && text.Length < 4300
            ? BigInteger.Parse(text, CultureInfo.InvariantCulture)
            : double.Parse(text, CultureInfo.InvariantCulture);
    }
}
