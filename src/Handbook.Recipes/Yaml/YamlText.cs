using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json.Nodes;

namespace Handbook.Recipes.Yaml;

/// <summary>Writes values so that <see cref="YamlReader"/>, and PyYAML, read the same values back.</summary>
public static class YamlText
{
    /// <summary>A value on one line: text (quoted where it must be), numbers, lists and mappings in flow form.</summary>
    /// <param name="json">The value.</param>
    public static string Write(JsonNode? json) => json switch
    {
        null => "null",
        JsonArray list => "[" + string.Join(", ", list.Select(item => Write(item))) + "]",
        JsonObject mapping => "{" + string.Join(", ", mapping.Select(entry => $"{WriteText(entry.Key)}: {Write(entry.Value)}")) + "}",
        _ when json.AsValue().TryGetValue<string>(out var text) => WriteText(text),
        _ when json.AsValue().TryGetValue<bool>(out var flag) => flag ? "true" : "false",
        _ when json.AsValue().TryGetValue<long>(out var whole) => whole.ToString(CultureInfo.InvariantCulture),
        _ when json.AsValue().TryGetValue<double>(out var number) => WriteNumber(number),
        _ => json.ToJsonString(),
    };

    /// <summary>A floating-point number with the dot and the signed exponent that YAML 1.1 asks for.</summary>
    public static string WriteNumber(double value)
    {
        if (!double.IsFinite(value))
            return double.IsNaN(value) ? ".nan" : value > 0 ? ".inf" : "-.inf";
        var text = value.ToString("R", CultureInfo.InvariantCulture).ToLowerInvariant();
        var exponent = text.IndexOf('e', StringComparison.Ordinal);
        var mantissa = exponent < 0 ? text : text[..exponent];
        return (mantissa.Contains('.', StringComparison.Ordinal) ? mantissa : mantissa + ".0") + (exponent < 0 ? "" : text[exponent..]);
    }

    private static string WriteText(string text)
    {
        var isPlain = text.Length > 0 && char.IsAsciiLetterOrDigit(text[0])
            && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' or '/')
            && YamlScalars.Resolve(text) == YamlScalars.Text;
        return isPlain ? text : "\"" + JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(text) + "\"";
    }
}
