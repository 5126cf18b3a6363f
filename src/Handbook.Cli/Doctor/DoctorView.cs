using Spectre.Console;

namespace Handbook.Cli.Doctor;

/// <summary>The doctor's findings, as a table for a person and as plain lines for a pipe.</summary>
internal static class DoctorView
{
    public static void Write(IReadOnlyList<Finding> findings, Terminal terminal)
    {
        if (terminal.IsInteractive)
            WriteTable(findings, terminal.Ansi);
        else
            WriteLines(findings, terminal.Output);
        var remedies = findings.Where(finding => finding.Remedy is not null).ToList();
        if (remedies.Count > 0)
        {
            terminal.Output.WriteLine();
            terminal.Output.WriteLine("To get what is missing:");
            var width = remedies.Max(finding => finding.Topic.Length) + 2;
            foreach (var finding in remedies)
                terminal.Output.WriteLine($"  {finding.Topic.PadRight(width)}{finding.Remedy}");
        }
        terminal.Output.WriteLine();
        terminal.Output.WriteLine(findings.Any(finding => finding.State == FindingState.Missing)
            ? "Nothing can be trained on this machine yet."
            : "This machine can train.");
    }

    private static void WriteLines(IReadOnlyList<Finding> findings, TextWriter output)
    {
        var width = findings.Max(finding => finding.Topic.Length) + 2;
        foreach (var finding in findings)
            output.WriteLine($"{Mark(finding.State),-8}{finding.Topic.PadRight(width)}{finding.Found}");
    }

    private static void WriteTable(IReadOnlyList<Finding> findings, IAnsiConsole console)
    {
        var table = new Table().Border(TableBorder.None).HideHeaders().AddColumn(new TableColumn("").NoWrap())
            .AddColumn(new TableColumn("").NoWrap()).AddColumn("");
        foreach (var finding in findings)
        {
            var colour = finding.State switch { FindingState.Good => "green", FindingState.Optional => "yellow", _ => "red" };
            table.AddRow($"[{colour}]{Mark(finding.State)}[/]", $"[bold]{Markup.Escape(finding.Topic)}[/]",
                Markup.Escape(PrintableText.Line(finding.Found)));
        }
        console.Write(table);
    }

    private static string Mark(FindingState state) => state switch
    {
        FindingState.Good => "ok",
        FindingState.Optional => "without",
        _ => "MISSING",
    };
}
