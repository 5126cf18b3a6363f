using System.CommandLine;
using System.Globalization;
using Handbook.Cli.Progress;
using Handbook.Quickstart;
using Handbook.Training.Progress;
using Spectre.Console;

namespace Handbook.Cli.Commands;

/// <summary><c>handbook quickstart</c>: from nothing to a model that answers questions, in minutes, on this machine.</summary>
internal static class QuickstartCommand
{
    private const int ExamplesPrinted = 6;

    public static Command Create(Terminal terminal)
    {
        var command = new HandbookCommand("quickstart",
            "Make a small world, train a language model on it, teach it to answer, align it to what "
                + "people like, examine it after each stage, and write a report.",
            "handbook quickstart");
        var output = new Option<string>("--output")
        {
            Description = "Where everything is written. What an earlier quickstart left there is taken up where it ended.",
            DefaultValueFactory = _ => QuickstartFolder.Default,
        };
        var fresh = new Option<bool>("--fresh")
        {
            Description = "Begin anew: remove what an earlier quickstart left in the output folder.",
        };
        command.Options.Add(output);
        command.Options.Add(fresh);
        command.SetAction((parsed, stop) => RunAsync(new QuickstartFolder(parsed.GetValue(output)!), parsed.GetValue(fresh),
            terminal, stop));
        return command;
    }

    private static async Task<int> RunAsync(QuickstartFolder folder, bool isFresh, Terminal terminal, CancellationToken stop)
    {
        var start = terminal.Clock.GetTimestamp();
        OutputFile.CheckFolder("--output", folder.Root);
        var stages = QuickstartRun.Plan.Select(stage => stage.Name);
        if (isFresh)
            Clear(folder, stages, terminal);
        var result = await new QuickstartRun(folder, TerminalProgress.Of(terminal), terminal.Clock).ExecuteAsync(stop)
            .ConfigureAwait(false);
        if (result is null)
            throw new OperationCanceledException(stop);
        var time = terminal.Clock.GetElapsedTime(start);
        var footer =
            $"handbook quickstart, {terminal.Clock.GetUtcNow().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)} UTC, "
            + $"{Environment.ProcessorCount} CPU cores";
        result.Report.ToPage(result.ParameterCount, time, footer).Save(folder.Report);
        Print(result.Report, terminal);
        terminal.Output.WriteLine($"report  {folder.Report}");
        terminal.Output.WriteLine($"model   {folder.Model(QuickstartRun.Plan[^1].Name)}");
        terminal.Output.WriteLine($"time    {ProgressText.Time(time)}");
        return ExitCodes.Success;
    }

    private static void Clear(QuickstartFolder folder, IEnumerable<string> stages, Terminal terminal)
    {
        var (removed, kept) = folder.Clear(stages);
        foreach (var path in removed)
            terminal.Output.WriteLine($"removed {path}");
        foreach (var path in kept)
            terminal.Output.WriteLine($"kept {path}: no quickstart made it");
    }

    private static void Print(QuickstartReport report, Terminal terminal)
    {
        terminal.Ansi.WriteLine();
        terminal.Ansi.MarkupLine("[bold]exact answers to held-out questions[/]");
        ResultTable.Write(report.Columns, report.Rows, terminal);
        foreach (var example in report.Examples().Take(ExamplesPrinted))
        {
            terminal.Output.WriteLine(example.Question);
            foreach (var (by, text, isRight) in example.Answers)
                terminal.Output.WriteLine($"  {by}: {text}{(isRight == true ? "  (right)" : "")}");
        }
        terminal.Output.WriteLine();
    }
}
