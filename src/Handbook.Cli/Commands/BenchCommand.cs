using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Handbook.Autograd;
using Handbook.Benchmarks;
using Handbook.Cli.Progress;
using Handbook.Torch;
using Handbook.Training.Options;
using Handbook.Training.Progress;
using Handbook.Training.Runs;
using Spectre.Console;

namespace Handbook.Cli.Commands;

/// <summary><c>handbook bench</c>: how fast this machine trains, against its own matrix rate measured in the same process.</summary>
internal static class BenchCommand
{
    internal static readonly Dictionary<string, Precision> Precisions = new(StringComparer.Ordinal)
    {
        ["auto"] = Precision.Auto,
        ["bf16"] = Precision.Bfloat16Mixed,
        ["fp32"] = Precision.Float32,
        ["bf16-pure"] = Precision.Bfloat16,
    };

    public static Command Create(Terminal terminal)
    {
        var shape = new Option<string>("--shape")
        {
            Description = $"Model shape: {string.Join(", ", ModelShape.Names)}", DefaultValueFactory = _ => "smollm2-135m",
        };
        var sequence = new Option<int>("--seq") { Description = "Tokens of a document", DefaultValueFactory = _ => 512 };
        var batch = new Option<int>("--batch") { Description = "Documents of a step", DefaultValueFactory = _ => 8 };
        var dtype = new Option<string>("--dtype")
        {
            Description =
                $"{string.Join(", ", Precisions.Keys)} (auto is bf16 where that is faster, else "
                + "fp32; bf16 and bf16 alone keep float32 master weights)", DefaultValueFactory = _ => "auto",
        };
        var recompute = new Option<bool>("--recompute") { Description = "Recompute activations in the backward pass" };
        var steps = new Option<int>("--steps") { Description = "Steps that are counted", DefaultValueFactory = _ => 5 };
        var json = new Option<bool>("--json") { Description = "Print one JSON object" };
        var minutes = Minutes();
        var command = new HandbookCommand(
            "bench", "Time supervised fine-tuning steps, and say which share of the machine's own matrix rate they reach.",
            "handbook bench --shape smollm2-135m --seq 512 --batch 8 --dtype bf16 --json", "handbook bench --shape tiny --recompute")
        {
            shape, sequence, batch, dtype, recompute, steps, minutes, json, DpoBenchCommand.Create(terminal),
            AdapterBenchCommand.Create(terminal),
            GenerateBenchCommand.Create(terminal), TokenizerBenchCommand.Create(terminal),
        };
        command.HasNothingToSave = true;
        command.SetAction((parsed, stop) =>
        {
            var options = new StepBenchmarkOptions(
                parsed.GetValue(shape)!, Positive("--seq", parsed.GetValue(sequence)), Positive("--batch", parsed.GetValue(batch)),
                FindPrecision(parsed.GetValue(dtype)!), parsed.GetValue(recompute), Positive("--steps", parsed.GetValue(steps)));
            var result = StepBenchmark.Run(options, Budget(parsed.GetValue(minutes), parsed.GetValue(json), terminal), stop);
            options = options with { Steps = result.Steps };
            if (parsed.GetValue(json))
                terminal.Output.WriteLine(ToJson(options, result).ToJsonString());
            else
                Print(options, result, terminal);
            return Task.FromResult(ExitCodes.Success);
        });
        return command;
    }

    /// <summary>The option that every benchmark has whose length depends on the machine.</summary>
    internal static Option<double> Minutes() =>
        new("--minutes") { Description = "The most minutes to take; what does not fit is left out", DefaultValueFactory = _ => 5 };

    /// <summary>The time of that option. Beside one JSON object on the output, progress goes to the other stream.</summary>
    internal static TimeBudget Budget(double minutes, bool isJson, Terminal terminal) => minutes is > 0 and <= 10_000
        ? new TimeBudget(terminal.Clock, TimeSpan.FromMinutes(minutes),
            isJson ? new PlainProgress(terminal.Error) : TerminalProgress.Of(terminal))
        : throw new UserErrorException(
            $"--minutes: {minutes.ToString(CultureInfo.InvariantCulture)} found, expected a number above 0 and up to 10000.");

    internal static int Positive(string name, int value) =>
        value > 0 ? value : throw new UserErrorException($"{name}: {value} found, a positive number expected.");

    internal static Precision FindPrecision(string name) => Precisions.TryGetValue(name, out var precision)
        ? RunPrecision.Of(new ModelOptions { Precision = precision, Device = "cpu" }, null)
        : throw new UserErrorException(
            $"--dtype: {name} is none of {string.Join(", ", Precisions.Keys)}.{NearestName.Hint(name, Precisions.Keys)}");

    private static DType Compute(StepBenchmarkOptions options) => options.Precision.ComputeDType();

    private static JsonObject ToJson(StepBenchmarkOptions options, StepBenchmarkResult result) => new()
    {
        ["shape"] = options.Shape,
        ["seq"] = options.SequenceLength,
        ["batch"] = options.BatchSize,
        ["dtype"] = Precisions.First(entry => entry.Value == options.Precision).Key,
        ["recompute"] = options.Recompute,
        ["parameters"] = result.ParameterCount,
        ["threads"] = ParallelWork.ThreadCount,
        ["libtorch"] = LibtorchLibrary.Version.ToString(),
        ["tokens_per_second"] = result.TokensPerSecond,
        ["step_seconds"] = result.StepSeconds,
        ["mfu"] = result.Utilisation(Compute(options)),
        ["useful_gflops"] = result.UsefulFlops / 1e9,
        ["matrix_gflops"] = result.Rates.MatrixFlops[Compute(options)] / 1e9,
        ["memory_gb_per_second"] = result.Rates.MemoryBytes / 1e9,
        ["peak_memory_gb"] = result.PeakMemory / 1e9,
        ["operations"] = ToJson(result.Operations, options.Steps),
    };

    /// <summary>Where the time of some steps went.</summary>
    internal static JsonArray ToJson(IReadOnlyList<OperationTime> times, int steps) => new([.. times.Select(time => new JsonObject
    {
        ["operation"] = time.Operation,
        ["pass"] = time.Pass,
        ["seconds_per_step"] = time.Seconds / steps,
        ["calls_per_step"] = (double)time.Calls / steps,
    })]);

    private static void Print(StepBenchmarkOptions options, StepBenchmarkResult result, Terminal terminal)
    {
        var summary = new Table().Border(TableBorder.None).HideHeaders().AddColumn("").AddColumn("");
        foreach (var (name, value) in Summary(options, result))
            summary.AddRow(Markup.Escape(name), Markup.Escape(PrintableText.Line(value)));
        terminal.Ansi.Write(summary);
        var table = new Table().Border(TableBorder.Simple).AddColumns("operation", "pass", "ms a step", "share", "calls");
        foreach (var time in result.Operations)
        {
            table.AddRow(
                Markup.Escape(time.Operation), time.Pass, Invariant($"{time.Seconds / options.Steps * 1e3:0.0}"),
                Invariant($"{time.Seconds / options.Steps / result.StepSeconds:P1}"), Invariant($"{time.Calls / options.Steps}"));
        }
        terminal.Ansi.Write(table);
    }

    private static IEnumerable<(string Name, string Value)> Summary(StepBenchmarkOptions options, StepBenchmarkResult result) =>
    [
        ("model", $"{options.Shape}, {ProgressText.Count(result.ParameterCount)} parameters"),
        ("step", string.Create(CultureInfo.InvariantCulture,
            $"{options.BatchSize} x {options.SequenceLength} tokens in {result.StepSeconds:0.000} "
                + $"s{(options.Recompute ? ", activations recomputed" : "")}")),
        ("tokens/s", Invariant($"{result.TokensPerSecond:0}")),
        ("useful rate", Invariant($"{result.UsefulFlops / 1e9:0} GFLOP/s")),
        ("matrix rate",
            string.Create(CultureInfo.InvariantCulture,
                $"{result.Rates.MatrixFlops[Compute(options)] / 1e9:0} GFLOP/s ({Compute(options).Name()}, square products, best median)")),
        ("utilisation", Invariant($"{result.Utilisation(Compute(options)):P1} of the matrix rate")),
        ("memory rate", Invariant($"{result.Rates.MemoryBytes / 1e9:0.0} GB/s")),
        ("peak memory", Invariant($"{result.PeakMemory / 1e9:0.00} GB resident")),
        ("libtorch", Invariant($"{LibtorchLibrary.Version}, {Quantity.Of(ParallelWork.ThreadCount, "thread")}")),
    ];

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
