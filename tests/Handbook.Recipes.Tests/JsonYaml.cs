using System.Numerics;
using System.Text.Json;
using Handbook.Recipes.Yaml;

namespace Handbook.Recipes.Tests;

/// <summary>The values that a golden file spells in JSON, as the YAML reader would give them.</summary>
internal static class JsonYaml
{
    private static readonly YamlPosition Start = new(1, 1);

    public static YamlValue From(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => new YamlMapping(
            [.. element.EnumerateObject()
                .Select(property => KeyValuePair.Create<YamlValue, YamlValue>(new YamlString(property.Name, Start), From(property.Value)))],
                [], Start),
        JsonValueKind.Array => new YamlSequence([.. element.EnumerateArray().Select(From)], Start),
        JsonValueKind.String => new YamlString(element.GetString()!, Start),
        JsonValueKind.True or JsonValueKind.False => new YamlBoolean(element.GetBoolean(), Start),
        JsonValueKind.Number when element.GetRawText().AsSpan().IndexOfAny(".eE") >= 0 => new YamlFloat(element.GetDouble(), Start),
        JsonValueKind.Number =>
            new YamlInteger(BigInteger.Parse(element.GetRawText(), System.Globalization.CultureInfo.InvariantCulture), Start),
        _ => new YamlNull(Start),
    };
}
