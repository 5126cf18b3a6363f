using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Handbook.Cli.Progress;
using Handbook.Recipes;
using Handbook.Recipes.Keys;
using Handbook.Reports;
using Handbook.Reports.Sweeps;
using Handbook.Training.Artefacts;
using Handbook.Training.Options;
using Handbook.Training.Progress;
using Handbook.Training.Planning;
using Handbook.Training.Runs;

namespace Handbook.Cli.Commands;

/// <summary><c>handbook sweep</c>: one recipe, every combination of the values that the command line lists.</summary>
internal static class SweepCommand
{
    public static Command Create(Terminal terminal)
    {
        var command = new HandbookCommand("sweep",
            "Run a recipe once for every combination of values, with one store of reference "
            + "log-probabilities, and lay the results side by side. "
            + "Runs that are finished are not run again.",
            "handbook sweep recipe.yaml --loss_type=sigmoid,ipo,kto_pair --beta=0.01,0.1,0.5",
            "handbook sweep recipe.yaml --learning_rate=1e-5,5e-6 --output_dir=scan");
        var words = RecipeArguments.AddTo(command);
        command.SetAction((parsed, stop) => Task.FromResult(Run(parsed.GetValue(words)!, terminal, stop)));
        return command;
    }

    private static int Run(string[] arguments, Terminal terminal, CancellationToken stop)
    {
        var progress = TerminalProgress.Of(terminal);
        var runs = Plan(arguments, terminal);
        var folder = runs[0].Sweep;
        using var claim = OutputFolder.Claim(folder);
        claim.RefuseStrangers(SweepResults.FileName, RunReport.FileName);
        Directory.CreateDirectory(folder);
        var results = new SweepResults(folder);
        // Said now, not hours later, when the run's turn comes.
        foreach (var run in runs)
            TrainingRun.Refuse(run.Options, RunPages.All);
        foreach (var (i, run) in runs.Index())
        {
            stop.ThrowIfCancellationRequested();
            var hash = Hash(run.Options, stop);
            if (!run.Options.Checkpoints.Overwrite && results.Load().Any(result => result.Name == run.Point.Name && result.Recipe == hash))
            {
                progress.Note($"{run.Point.Name}: finished before");
                continue;
            }
            progress.Note($"run {i + 1} of {runs.Count}: {run.Point.Name}");
            var result = new TrainingRun(run.Options, RunPages.All, progress, terminal.Clock, RunForecast.Instance)
                .Execute(stop);
            if (result.Stopped)
                throw new OperationCanceledException(stop);
            results.Add(new SweepResult(run.Point.Name, hash, run.Point.Settings, Metrics(result)));
        }
        var finished = results.Load().ToDictionary(result => result.Name);
        Show(new SweepReport([.. runs.Select(run => finished[run.Point.Name])]), folder, terminal);
        return ExitCodes.Success;
    }

    /// <summary>Reads every run's recipe before the first one starts.</summary>
    private static List<SweepRun> Plan(string[] arguments, Terminal terminal)
    {
        RecipeArguments.Require(arguments, "sweep");
        var points = SweepGrid.Of(arguments);
        var task = RecipeArguments.Load(points[0].Arguments, "sweep", TaskSet.Training).Task;
        var recipes = points.Select((point, i) => i == 0
            ? RecipeArguments.Read([.. point.Arguments], task, terminal)
            : RecipeReader.Read(RecipeSource.Load(point.Arguments), task)).ToList();
        SweepGrid.RefuseEqual(points.Zip(recipes));
        var runs = new List<SweepRun>();
        foreach (var (point, recipe) in points.Zip(recipes))
        {
            var options = recipe.Options;
            var folder = options.Checkpoints.OutputDirectory;
            runs.Add(new SweepRun(point, folder, options with
            {
                Checkpoints = options.Checkpoints with { OutputDirectory = Path.Combine(folder, point.Name) },
                Preference = options.Preference with { PrecomputeReference = !options.Preference.SyncReference },
            }));
        }
        return runs;
    }

    /// <summary>
    /// SHA-256 of everything that a finished run stands for: what decides its result, and how long and on what it was measured.
    /// </summary>
    private static string Hash(
        RunOptions options, CancellationToken stop) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        TrainingRun.Identify(options, stop).Hash + PythonJson.WriteLine(options.RecipeWithoutPaths))));

    private static IReadOnlyList<(string Name, double Value)> Metrics(RunResult result)
    {
        var rows = result.FinalEvaluation is { } evaluation
            ? [evaluation] : result.State.LogHistory.Where(row => row[MetricNames.Loss] is not null).TakeLast(1);
        return [.. rows.SelectMany(row => row.Values).Select(value => (value.Key, value.Value))];
    }

    private static void Show(SweepReport report, string folder, Terminal terminal)
    {
        ResultTable.Write(report.Columns, report.Rows, terminal);
        if (report.OverSeeds() is { } seeds)
            ResultTable.Write(seeds.Columns, seeds.Rows, terminal);
        var page = Path.Combine(folder, RunReport.FileName);
        var footer = $"handbook sweep, {terminal.Clock.GetUtcNow().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)} UTC";
        report.ToPage(Path.GetFileName(Path.GetFullPath(folder).TrimEnd(Path.DirectorySeparatorChar)), footer).Save(page);
        terminal.Output.WriteLine($"report  {page}");
    }

    /// <summary>A run of the grid.</summary>
    /// <param name="Point">Its values.</param>
    /// <param name="Sweep">The sweep's folder.</param>
    /// <param name="Options">What it is told.</param>
    private sealed record SweepRun(SweepPoint Point, string Sweep, RunOptions Options);
}
