using System.Text.Json;
using Handbook.Tokenizers.Regex;
using Handbook.Tokenizers.Scanning;

namespace Handbook.Tokenizers.Files;

/// <summary>Reads <c>{"String": ...}</c> and <c>{"Regex": ...}</c>.</summary>
internal static class PatternReader
{
    /// <summary>The pattern under <c>pattern</c>.</summary>
    public static SplitPattern Read(JsonSection section)
    {
        var value = section.Find("pattern") ?? throw new InvalidDataException($"{section.PathOf("pattern")} is missing");
        if (value.ValueKind == JsonValueKind.String)
            return new StringPattern(JsonSection.Text(value, section.PathOf("pattern")));
        var pattern = new JsonSection(value, section.PathOf("pattern"));
        if (pattern.StringOrNull("String") is { } text)
            return new StringPattern(text);
        var regex = pattern.String("Regex");
        return PatternTable.Find(regex) is { } scanner ? new ScannerPattern(scanner) : new RegexPattern(regex);
    }
}
