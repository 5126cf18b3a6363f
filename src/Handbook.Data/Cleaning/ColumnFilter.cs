using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Handbook.Data.Sources;

namespace Handbook.Data.Cleaning;

/// <summary>A condition on one column.</summary>
/// <param name="Column">The column, by its name after renaming.</param>
/// <param name="Operator">One of <c>== != &lt; &lt;= &gt; &gt;=</c>.</param>
/// <param name="Value">What it is compared with; numerically when both sides are numbers, else as text.</param>
public sealed partial record ColumnFilter(string Column, string Operator, string Value)
{
    /// <summary>Parses <c>score &gt;= 4</c>.</summary>
    /// <exception cref="UserErrorException">It has another form.</exception>
    public static ColumnFilter Parse(string text) => Form().Match(text) is { Success: true } match
        ? new ColumnFilter(match.Groups["column"].Value, match.Groups["operator"].Value, match.Groups["value"].Value.Trim().Trim('"', '\''))
        : throw new UserErrorException($"filter \"{text}\": expected a column, one of == != < <= > >=, and a value, such as score >= 4");

    /// <summary>True when the row stays; a row without the column does not, unless the condition is <c>!=</c>.</summary>
    public bool Keeps(RowColumns row)
    {
        if (!row.TryGet(Column, out var found))
            return Operator == "!=";
        var text = found.ValueKind == JsonValueKind.String ? found.GetString()! : found.GetRawText();
        var areNumbers = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var left)
            & double.TryParse(Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var right);
        // NaN is not equal to, below or above anything.
        if (areNumbers && (double.IsNaN(left) || double.IsNaN(right)))
            return Operator == "!=";
        var order = areNumbers ? left.CompareTo(right) : string.CompareOrdinal(text, Value);
        return Operator switch
        {
            "==" => order == 0,
            "!=" => order != 0,
            "<" => order < 0,
            "<=" => order <= 0,
            ">" => order > 0,
            _ => order >= 0,
        };
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Column} {Operator} {Value}";

    [GeneratedRegex(@"^\s*(?<column>[\w.-]+)\s*(?<operator>==|!=|<=|>=|<|>)\s*(?<value>.+)$",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Form();
}
