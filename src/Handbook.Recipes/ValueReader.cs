using System.Globalization;
using System.Numerics;
using System.Text.Json.Nodes;
using Handbook.Recipes.Keys;
using Handbook.Recipes.Yaml;
using Handbook.Training.Options;

namespace Handbook.Recipes;

/// <summary>A value of a key's kind, or what was wrong with it.</summary>
internal readonly record struct ValueResult(object? Value, string? Problem);

/// <summary>From YAML to the value of a key's kind, range and choices checked.</summary>
internal static class ValueReader
{
    public static ValueResult Read(RecipeKey row, YamlValue value)
    {
        if (value is YamlNull)
            return row.IsNullable ? new(null, null) : Wrong(row, value);
        return row.Kind switch
        {
            KeyKind.TextValue => Text(row, value),
            KeyKind.Flag => Flag(value) is { } flag ? new(flag, null) : Wrong(row, value),
            KeyKind.Integer =>
                Integer(value) is { } whole && Fits(row, whole) && int.MinValue <= whole && whole <= int.MaxValue
                    ? new((long)whole, null) : Wrong(row, value),
            KeyKind.Number => Number(value) is { } number && Fits(row, number) ? new(number, null) : Wrong(row, value),
            KeyKind.Steps => Number(value) is { } steps && IsCount(steps) ? new(steps, null) : Wrong(row, value),
            KeyKind.RowShare => Number(value) is { } rows && IsCount(rows) ? new(new RowCount(rows, rows < 1), null) : Wrong(row, value),
            KeyKind.TextOrFlag => Flag(value) is { } either ? new(either ? "true" : null, null) : Text(row, value),
            KeyKind.TextList => TextList(row, value),
            KeyKind.NumberList => NumberList(row, value),
            KeyKind.NumberMap => NumberMap(row, value),
            KeyKind.TextMap => TextMap(row, value),
            KeyKind.Anything =>
                row.Verb == KeyVerb.Accept ? new(null, null)
                    : value is YamlMapping mapping ? new(mapping.ToJson(), null) : Wrong(row, value),
            _ => Wrong(row, value),
        };
    }

    /// <summary>"expected X, found Y", with the nearest choice.</summary>
    public static ValueResult Wrong(RecipeKey row, YamlValue value)
    {
        var hint = row.Choices.Count > 0 && value is YamlString text ? NearestName.Hint(text.Value, row.Choices) : "";
        return new(null, $"expected {row.Expectation()}, found {value.Describe()}.{hint}");
    }

    private static ValueResult Text(RecipeKey row, YamlValue value)
    {
        // YAML 1.1 reads no, off and bare numbers as something else than text; where a choice is meant, take it back.
        var text = value switch
        {
            YamlString found => found.Value,
            YamlBoolean { Value: false } when row.Choices.Contains("no") => "no",
            YamlInteger or YamlFloat when row.Choices.Count == 0 => value.Describe(),
            _ => null,
        };
        // An unset variable of a shell: as a path it would mean the folder one stands in.
        if (string.IsNullOrWhiteSpace(text) && text is not null && (row.IsRequired || row.Effect == KeyEffect.Source))
            return new(null, "is empty; give a value or leave the key out.");
        return text is null || (row.Choices.Count > 0 && !row.Choices.Contains(text)) ? Wrong(row, value) : new(text, null);
    }

    private static bool? Flag(YamlValue value) => value switch
    {
        YamlBoolean flag => flag.Value,
        YamlString text =>
            text.Value.ToLowerInvariant() switch { "true" or "yes" or "on" => true, "false" or "no" or "off" => false, _ => null },
        _ => null,
    };

    private static BigInteger? Integer(YamlValue value) => value switch
    {
        YamlInteger whole => whole.Value,
        YamlFloat number when double.IsInteger(number.Value) => (BigInteger)number.Value,
        YamlString text when BigInteger.TryParse(text.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var parsed) =>
            parsed,
        _ => null,
    };

    private static double? Number(YamlValue value)
    {
        double? number = value switch
        {
            YamlInteger whole => (double)whole.Value,
            YamlFloat given => given.Value,
            YamlString text when double.TryParse(text.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var parsed) => parsed,
            _ => null,
        };
        return number is { } finite && double.IsFinite(finite) ? finite : null;
    }

    private static bool Fits(RecipeKey row, BigInteger value) => row.Range?.Holds((double)value) ?? true;

    private static bool Fits(RecipeKey row, double value) => row.Range?.Holds(value) ?? true;

    private static bool IsCount(double value) => value is > 0 and < 1 || (value >= 1 && value <= int.MaxValue && double.IsInteger(value));

    private static ValueResult TextList(RecipeKey row, YamlValue value)
    {
        var texts = new List<string>();
        foreach (var item in value is YamlSequence sequence ? sequence.Items : [value])
        {
            var text = item switch
            {
                YamlString found => found.Value,
                // `report_to: none` is text, but `[no]` and `[1]` are not.
                YamlInteger or YamlFloat when row.Choices.Count == 0 => item.Describe(),
                _ => null,
            };
            if (text is null || (row.Choices.Count > 0 && !row.Choices.Contains(text)))
                return Wrong(row, item);
            texts.Add(text);
        }
        return new(texts, null);
    }

    private static ValueResult NumberList(RecipeKey row, YamlValue value)
    {
        var numbers = new List<double>();
        foreach (var item in value is YamlSequence sequence ? sequence.Items : [value])
        {
            if (Number(item) is not { } number || !Fits(row, number))
                return Wrong(row, item);
            numbers.Add(number);
        }
        return new(numbers, null);
    }

    private static ValueResult NumberMap(RecipeKey row, YamlValue value)
    {
        if (value is not YamlMapping mapping)
            return Wrong(row, value);
        var entries = new List<KeyValuePair<string, double>>();
        foreach (var (key, item) in mapping.Entries)
        {
            if (Number(item) is not { } number || !Fits(row, number))
                return new(null,
                    $"{YamlMapping.KeyText(key)}: expected a "
                        + $"number{(row.Range is null ? "" : " " + row.Range.Text)}, found {item.Describe()}.");
            entries.Add(new(YamlMapping.KeyText(key), number));
        }
        return new(entries, null);
    }

    private static ValueResult TextMap(RecipeKey row, YamlValue value)
    {
        if (value is not YamlMapping mapping)
            return Wrong(row, value);
        var entries = new List<KeyValuePair<string, string>>();
        foreach (var (key, item) in mapping.Entries)
        {
            if (item is YamlSequence or YamlMapping or YamlSet)
                return new(null, $"{YamlMapping.KeyText(key)}: expected a text, found {item.Describe()}.");
            // Python's str(): what an environment variable would hold in the original.
            var text = item switch
            {
                YamlString found => found.Value,
                YamlNull => "None",
                YamlBoolean flag => flag.Value ? "True" : "False",
                _ => item.Describe(),
            };
            entries.Add(new(YamlMapping.KeyText(key), text));
        }
        return new(entries, null);
    }
}
