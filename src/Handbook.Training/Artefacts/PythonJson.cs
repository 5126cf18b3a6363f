using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Handbook.Training.Artefacts;

/// <summary>
/// JSON as Python's <c>json.dumps</c> writes it (<c>ensure_ascii</c>, numbers as Python prints floats), so that files compare
/// equal, line by line, with those of transformers. Not-a-number and infinity become null: Python would write words that are
/// not JSON.
/// </summary>
public static class PythonJson
{
    /// <summary>Indented text, with a line feed at its end.</summary>
    /// <param name="node">What to write.</param>
    /// <param name="indent">Spaces a level: transformers takes 2 for the trainer's state, 4 for results.</param>
    /// <param name="sortKeys">Orders every object's keys by code point.</param>
    public static string Write(JsonNode? node, int indent, bool sortKeys)
    {
        var text = new StringBuilder();
        Append(text, node, indent, sortKeys, level: 0);
        return text.Append('\n').ToString();
    }

    /// <summary>One line without a line feed, for JSONL.</summary>
    public static string WriteLine(JsonNode? node)
    {
        var text = new StringBuilder();
        Append(text, node, indent: -1, sortKeys: false, level: 0);
        return text.ToString();
    }

    /// <summary>Reads JSON that Python wrote: its words NaN, Infinity and -Infinity are read as null.</summary>
    public static JsonNode? Read(string text)
    {
        if (!text.Contains("NaN", StringComparison.Ordinal) && !text.Contains("Infinity", StringComparison.Ordinal))
            return JsonNode.Parse(text);
        var clean = new StringBuilder(text.Length);
        for (int i = 0, inText = 0; i < text.Length; i++)
        {
            if (text[i] == '"')
                inText ^= 1;
            else if (text[i] == '\\' && inText == 1)
                clean.Append(text[i++]);
            else if (inText == 0 && NonFiniteWord(text.AsSpan(i)) is > 0 and var length)
            {
                clean.Append("null");
                i += length - 1;
                continue;
            }
            clean.Append(text[i]);
        }
        return JsonNode.Parse(clean.ToString());
    }

    /// <summary>
    /// A double as Python's <c>repr</c> prints it: the shortest digits that read back the same, always with a point or exponent.
    /// </summary>
    public static string Repr(double value) => ShortestDigits.Repr(value);

    private static int NonFiniteWord(ReadOnlySpan<char> rest) =>
        rest.StartsWith("NaN") ? 3 : rest.StartsWith("Infinity") ? 8 : rest.StartsWith("-Infinity") ? 9 : 0;

    private static void Append(StringBuilder text, JsonNode? node, int indent, bool sortKeys, int level)
    {
        switch (node)
        {
            case JsonObject map:
                var members = sortKeys
                    ? map.OrderBy(member => member.Key, StringComparer.Ordinal) : (IEnumerable<KeyValuePair<string, JsonNode?>>)map;
                AppendAll(text, '{', '}', members, map.Count, indent, level, member =>
                {
                    AppendText(text, member.Key);
                    text.Append(": ");
                    Append(text, member.Value, indent, sortKeys, level + 1);
                });
                break;
            case JsonArray list:
                AppendAll(text, '[', ']', list, list.Count, indent, level, item => Append(text, item, indent, sortKeys, level + 1));
                break;
            case JsonValue value:
                AppendValue(text, value);
                break;
            default:
                text.Append("null");
                break;
        }
    }

    private static void AppendAll<T>(
        StringBuilder text, char open, char close, IEnumerable<T> items, int count, int indent, int level, Action<T> append)
    {
        text.Append(open);
        var first = true;
        foreach (var item in items)
        {
            if (!first)
                text.Append(indent < 0 ? ", " : ",");
            if (indent >= 0)
                text.Append('\n').Append(' ', indent * (level + 1));
            append(item);
            first = false;
        }
        if (indent >= 0 && count > 0)
            text.Append('\n').Append(' ', indent * level);
        text.Append(close);
    }

    private static void AppendValue(StringBuilder text, JsonValue value)
    {
        if (value.TryGetValue<string>(out var word))
            AppendText(text, word);
        else if (value.TryGetValue<bool>(out var truth))
            text.Append(truth ? "true" : "false");
        else if (value.TryGetValue<long>(out var whole))
            text.Append(whole);
        else if (value.TryGetValue<int>(out var small))
            text.Append(small);
        else if (value.TryGetValue<double>(out var number))
            text.Append(double.IsFinite(number) ? Repr(number) : "null");
        else
            text.Append(value.ToJsonString());
    }

    // The relaxed encoder leaves everything but quotes, backslashes and controls; the rest is escaped as ensure_ascii does.
    private static void AppendText(StringBuilder text, string word)
    {
        text.Append('"');
        foreach (var c in JsonEncodedText.Encode(word, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).ToString())
        {
            if (c < 0x7f)
                text.Append(c);
            else
                text.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture));
        }
        text.Append('"');
    }
}
