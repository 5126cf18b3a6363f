using System.Text;
using System.Text.Json.Nodes;

namespace Handbook.TestSupport;

/// <summary>Compares UTF-16 spans with golden ones, which count code points.</summary>
public static class GoldenSpans
{
    public static string? Difference(string text, IReadOnlyList<TextRange> spans, JsonArray expected)
    {
        var given = string.Join(", ", spans.Select(span => $"[{ToCodePoints(text, span.Start)},{ToCodePoints(text, span.End)}]"));
        var wanted = string.Join(", ", expected.Select(span => $"[{span![0]},{span[1]}]"));
        return given == wanted ? null : $"spans {given}, expected {wanted}";
    }

    public static int ToUnits(string text, int codePoints)
    {
        var units = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            if (codePoints-- == 0)
                break;
            units += rune.Utf16SequenceLength;
        }
        return units;
    }

    private static int ToCodePoints(string text, int units) =>
        Encoding.UTF32.GetByteCount(text.AsSpan(0, Math.Min(units, text.Length))) / 4;
}
