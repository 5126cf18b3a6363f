using System.Globalization;
using System.Text.RegularExpressions;

namespace Handbook.Data.Sources;

/// <summary>
/// One part of a split expression, <c>train</c>, <c>train[:10%]</c>, <c>test[100:200]</c>; several are joined by <c>+</c>. The rules are
/// those of the datasets library's <c>ReadInstruction</c>.
/// </summary>
/// <param name="Split">The split's name.</param>
/// <param name="From">First bound or null.</param>
/// <param name="To">Second bound or null.</param>
public sealed partial record SplitSelection(string Split, SplitSelection.Bound? From = null, SplitSelection.Bound? To = null)
{
    /// <summary>A bound in rows or in percent, from the end when negative.</summary>
    /// <param name="Value">The number.</param>
    /// <param name="IsPercent">True for percent.</param>
    public readonly record struct Bound(int Value, bool IsPercent)
    {
        /// <summary>The bound in rows, before negative ones are counted from the end; halves round to even.</summary>
        internal long Rows(long count) => IsPercent ? (long)Math.Round(Value * (double)count / 100, MidpointRounding.ToEven) : Value;
    }

    /// <summary>True when all rows of the split are meant.</summary>
    public bool IsWhole => From is null && To is null;

    /// <summary>Parses a split expression.</summary>
    /// <param name="expression">For example <c>train[:10%]+test</c>.</param>
    /// <exception cref="UserErrorException">It has another form, or a percentage beyond 100.</exception>
    public static IReadOnlyList<SplitSelection> Parse(string expression) =>
    [
        .. expression.Split('+').Select(part => ParsePart(part.Trim(), expression)),
    ];

    /// <summary>The half-open range of rows among <paramref name="count"/>.</summary>
    /// <exception cref="UserErrorException">A bound lies outside.</exception>
    public (long From, long To) Range(long count)
    {
        var from = From?.Rows(count) ?? 0;
        var to = To?.Rows(count) ?? count;
        if (Math.Abs(from) > count || Math.Abs(to) > count)
            throw new UserErrorException(FormattableString.Invariant($"split {this}: the slice does not fit the {count} rows there are"));
        from = from < 0 ? count + from : from;
        to = to < 0 ? count + to : to;
        return (from, Math.Max(from, to));
    }

    /// <inheritdoc/>
    public override string ToString() => IsWhole ? Split : $"{Split}[{Show(From)}:{Show(To)}]";

    private static string Show(Bound? bound) => bound is { } b ? FormattableString.Invariant($"{b.Value}{(b.IsPercent ? "%" : "")}") : "";

    private static SplitSelection ParsePart(string part, string expression)
    {
        var match = Form().Match(part);
        if (!match.Success)
        {
            throw new UserErrorException(
                $"split \"{expression}\": \"{part}\" is not a split; expected a name with an "
                + "optional slice, such as train[:10%] or train[100:200]");
        }
        return new SplitSelection(match.Groups["name"].Value, ParseBound(match.Groups["from"], part), ParseBound(match.Groups["to"], part));
    }

    private static Bound? ParseBound(Group group, string part)
    {
        if (!group.Success || group.Value.Length == 0)
            return null;
        var isPercent = group.Value.EndsWith('%');
        var number = group.Value.TrimEnd('%').Replace("_", "", StringComparison.Ordinal);
        if (!int.TryParse(number, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
            || (isPercent && Math.Abs(value) > 100))
            throw new UserErrorException($"split \"{part}\": the bound {group.Value} must be a row number, or from -100% to 100%");
        return new Bound(value, isPercent);
    }

    [GeneratedRegex(@"^(?<name>\w+(\.\w+|-\w+)*)(\[(?<from>-?[0-9_]+%?)?:(?<to>-?[0-9_]+%?)?\])?$",
        RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
