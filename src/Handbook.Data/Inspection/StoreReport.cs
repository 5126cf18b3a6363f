using System.Globalization;
using Handbook.Data.Store;

namespace Handbook.Data.Inspection;

/// <summary>Says in lines what a person should know about prepared data.</summary>
public static class StoreReport
{
    /// <summary>What was read and how, what was left out and why, and what fills the rows.</summary>
    public static IEnumerable<string> Lines(TokenStore store)
    {
        var manifest = store.Manifest;
        foreach (var note in manifest.Notes)
            yield return note;
        foreach (var count in manifest.Cleaning)
        {
            yield return Text($"{Quantity.Of(count.Removed, "example")} removed: {count.Rule}");
            foreach (var example in count.Examples.Take(3))
                yield return "  " + example;
        }
        if (manifest.BadRows > 0)
            yield return Text(
                $"{Quantity.Of(manifest.BadRows, "bad row")} left out (on_bad_row: skip), the first: {manifest.BadRowExamples[0]}");
        foreach (var line in Lines("train", manifest.Train, store.Kind))
            yield return line;
        if (manifest.Evaluation is { } evaluation)
        {
            foreach (var line in Lines("evaluation", evaluation, store.Kind))
                yield return line;
        }
    }

    private static IEnumerable<string> Lines(string name, SetSummary set, StoreKind kind)
    {
        var place = kind == StoreKind.Sequences
            ? Text($" in {Quantity.Of(set.RowCount, "row")} of at most {set.MaxLength}, {set.Efficiency:P1} full") : "";
        yield return $"{name}: {Quantity.Of(set.ExampleCount, "example")}, {Quantity.Of(set.TokenCount, "token")} "
            + $"({Share(set.LossTokenCount, set.TokenCount)} labels){place}";
        if (set.Truncated > 0)
            yield return $"  {Quantity.Of(set.Truncated, "example is", "examples are")} too long; "
                + $"{Quantity.Of(set.LostTokens, "token is", "tokens are")} cut off "
                + $"({Share(set.LostTokens, set.LostTokens + set.TokenCount)})";
        else if (set.LostTokens > 0)
            yield return $"  {Quantity.Of(set.LostTokens, "token stands", "tokens stand")} in no row "
                + $"({Share(set.LostTokens, set.LostTokens + set.TokenCount)})";
        if (set.Dropped > 0)
            yield return Text($"  {Quantity.Of(set.Dropped, "example is", "examples are")} longer than a row and left out");
        if (set.Emptied > 0)
            yield return Text(
                $"  {Quantity.Of(set.Emptied, "example is", "examples are")} left out: empty, or an answer would be cut to nothing");
        if (set.Split > 0)
            yield return Text($"  {Quantity.Of(set.Split, "example is", "examples are")} cut into several pieces");
        if (set.RowsWithoutLabel > 0)
            yield return $"  {Quantity.Of(set.RowsWithoutLabel, "row has", "rows have")} no label at all: a batch of "
                + $"{Quantity.Word(set.RowsWithoutLabel, "it", "them")} alone would teach nothing";
        if (set.WithoutLabel > 0)
            yield return $"  {Quantity.Of(set.WithoutLabel, "example has", "examples have")} no label and "
                + $"{Quantity.Word(set.WithoutLabel, "teaches", "teach")} nothing, such as "
                + $"{string.Join("; ", set.WithoutLabelExamples.Take(3))}";
    }

    private static string Share(long part, long whole) =>
        whole == 0 ? "0 %" : ((double)part / whole).ToString("P1", CultureInfo.InvariantCulture);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
