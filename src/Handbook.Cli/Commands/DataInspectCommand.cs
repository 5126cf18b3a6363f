using System.CommandLine;
using System.Globalization;
using Handbook.Chat.Inspection;
using Handbook.Data.Inspection;
using Handbook.Training.Runs;

namespace Handbook.Cli.Commands;

/// <summary><c>handbook data inspect</c>: every token of any example with its id, text, message and label.</summary>
internal static class DataInspectCommand
{
    private const int ShownOnThePage = 20;
    private const int ShownInTheTerminal = 2;

    public static HandbookCommand Create(Terminal terminal)
    {
        var command = new HandbookCommand("inspect",
            "Show examples as they are trained: every token with its id, message and label, and a "
                + "summary of all. Look once, and know whether the labels are right.",
            "handbook data inspect recipe.yaml", "handbook data inspect recipe.yaml --example 12 --count 1 --tokens",
            "handbook data inspect recipe.yaml --html look.html");
        var first = new Option<int>("--example") { Description = "The first example to show, from 1.", DefaultValueFactory = _ => 1 };
        var count = new Option<int?>("--count")
        {
            Description = $"How many to show ({ShownInTheTerminal}, or {ShownOnThePage} on a page).",
        };
        var tokens = new Option<bool>("--tokens") { Description = "List every token on a line of its own." };
        var html = new Option<string?>("--html") { Description = "Write a page to this file instead; it needs nothing but a browser." };
        var evaluation = new Option<bool>("--evaluation") { Description = "The evaluation set instead of the training set." };
        var overwrite = OverwriteOption.Create();
        foreach (var option in new Option[] { first, count, tokens, html, evaluation, overwrite })
            command.Options.Add(option);
        var words = RecipeArguments.AddTo(command);
        command.SetAction((parsed, stop) =>
        {
            var page = parsed.GetValue(html);
            var range = new InspectionRange(
                AtLeastOne("--example", parsed.GetValue(first)),
                AtLeastOne("--count", parsed.GetValue(count) ?? (page is null ? ShownInTheTerminal : ShownOnThePage)),
                WithProblems: page is null ? 1 : ShownOnThePage);
            if (page is not null)
                OutputFile.Check("--html", page, parsed.GetValue(overwrite), InspectionPage.Mark);
            var recipe = DataCommand.ReadRecipe(parsed.GetValue(words)!, "data inspect", terminal);
            var tokenizer = RunTokenizer.Load(recipe.Options);
            using var store = DataCommand.Open(recipe, tokenizer, terminal, stop);
            if (page is not null)
                OutputFile.RefuseInputs("--html", page, DataCommand.Inputs(recipe, store));
            var inspection = new RunInspection(recipe.Options, tokenizer, store);
            var (summary, shown) = inspection.Look(DataCommand.SetOf(store, parsed.GetValue(evaluation)), range);
            if (page is null)
                Show(inspection.Facts(), summary, shown, parsed.GetValue(tokens), terminal);
            else
                Write(page, recipe.Source.File ?? "command line", [.. StoreReport.Lines(store)], inspection.Facts(), summary,
                    shown, terminal);
            return Task.FromResult(ExitCodes.Success);
        });
        return command;
    }

    private static int AtLeastOne(string option, int value) =>
        value >= 1 ? value : throw new UserErrorException($"{option} {value}: must be at least 1.");

    private static void Write(
        string page, string title, IReadOnlyList<string> notes, IReadOnlyList<(string Name, string Value)> facts, InspectionSummary summary,
        IReadOnlyList<InspectedExample> shown, Terminal terminal)
    {
        AtomicFile.WriteText(page, InspectionPage.Write(title, facts, summary, shown, notes));
        terminal.Output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{page}: {shown.Count} of {Quantity.Of(summary.ExampleCount, "example")}"));
    }

    private static void Show(
        IReadOnlyList<(string Name, string Value)> facts, InspectionSummary summary, IReadOnlyList<InspectedExample> shown, bool everyToken,
        Terminal terminal)
    {
        foreach (var example in shown)
            terminal.Styled.WriteLine(InspectionText.Write(example, terminal.IsInteractive, everyToken));
        foreach (var line in Lines(facts, summary))
            terminal.Output.WriteLine(line);
    }

    private static IEnumerable<string> Lines(IReadOnlyList<(string Name, string Value)> facts, InspectionSummary summary)
    {
        foreach (var (name, value) in facts)
            yield return $"{name}: {value}";
        yield return Text(
            $"examples: {summary.ExampleCount}, tokens {summary.TokenCount}, labels {summary.LabelCount} ({summary.LabelShare:P1})");
        yield return string.Create(CultureInfo.InvariantCulture,
            $"length: shortest {summary.Percentile(0)}, median {summary.Percentile(0.5)}, 90 % up to "
            + $"{summary.Percentile(0.9)}, 99 % up to {summary.Percentile(0.99)}, longest {summary.Percentile(1)}");
        yield return string.Create(CultureInfo.InvariantCulture,
            $"truncated: {summary.Truncated}, dropped: {summary.Dropped}, removed by cleaning: {summary.Removed}, "
            + $"unlabelled: {summary.Unlabelled}");
        foreach (var (problem, count) in summary.Problems)
            yield return Text($"! {(count == 1 ? "once" : $"{count} times")}: {problem}");
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
