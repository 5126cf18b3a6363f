using System.Buffers;
using Handbook.Data.Sources;

namespace Handbook.Data.Cleaning;

/// <summary>
/// The original handbook's decontamination (v0.3, <c>decontaminate.py</c>): an example goes when, in lower case and with single
/// spaces, it contains the docstring of a HumanEval problem or a canonical solution, four trivial solutions excepted.
/// </summary>
internal sealed class HumanEvalRule
{
    // The fourth is what the original's quoting makes of return " ".join(strings), which therefore excepts nothing.
    private static readonly string[] Trivial = ["return x + y", "return len(string)", "return n**2", "return .join(strings)"];
    private readonly SearchValues<string> needles;

    /// <summary>Reads the problems: rows with <c>prompt</c> and <c>canonical_solution</c>.</summary>
    /// <exception cref="UserErrorException">A row lacks one of them, or a prompt has no docstring.</exception>
    public HumanEvalRule(RowSource source)
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        foreach (var row in source.Read())
        {
            using var document = Decontamination.Parse(row);
            var columns = new RowColumns(document.RootElement, source.Options);
            found.Add(Normalize(Docstring(Text(columns, row.Place, "prompt"), row.Place)));
            var solution = Text(columns, row.Place, "canonical_solution").Trim();
            if (solution.Length > 0 && !Trivial.Contains(solution))
                found.Add(Normalize(solution));
        }
        found.Remove("");
        needles = SearchValues.Create([.. found], StringComparison.Ordinal);
    }

    /// <summary>True when the text is to be removed.</summary>
    public bool Matches(string text) => Normalize(text).AsSpan().ContainsAny(needles);

    private static string Text(RowColumns row, RowPlace place, string column) =>
        row.TryGet(column, out var value) && value.ValueKind == System.Text.Json.JsonValueKind.String
            ? value.GetString()!
            : throw new UserErrorException(
                $"{place}, column \"{column}\": missing; the HumanEval rule needs prompt and canonical_solution");

    private static string Docstring(string prompt, RowPlace place)
    {
        foreach (var quotes in new[] { "\"\"\"", "'''" })
        {
            var parts = prompt.Split(quotes);
            if (parts.Length is 3 or 5)
                return parts[^2].Trim();
        }
        throw new UserErrorException($"{place}, column \"prompt\": has no docstring in triple quotes");
    }

    private static string Normalize(string text) =>
        string.Join(' ', text.ToLowerInvariant().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}
