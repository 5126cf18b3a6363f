using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Handbook.Benchmarks;
using Handbook.Training.Progress;
using Spectre.Console;

namespace Handbook.Cli.Commands;

/// <summary><c>handbook bench adapters</c>: steps of adapters beside those of the whole model, by turns.</summary>
internal static class AdapterBenchCommand
{
    public static Command Create(Terminal terminal)
    {
        var shape = new Option<string>("--shape")
        {
            Description = $"Model shape: {string.Join(", ", ModelShape.Names)}", DefaultValueFactory = _ => "smollm2-135m",
        };
        var sequence = new Option<int>("--seq") { Description = "Tokens of a document", DefaultValueFactory = _ => 512 };
        var batch = new Option<int>("--batch") { Description = "Documents of a step", DefaultValueFactory = _ => 4 };
        var rank = new Option<int>("--rank") { Description = "Rank of adapters on all linear layers", DefaultValueFactory = _ => 16 };
        var dtype = new Option<string>("--dtype")
        {
            Description = string.Join(", ", BenchCommand.Precisions.Keys), DefaultValueFactory = _ => "auto",
        };
        var recompute = new Option<bool>("--recompute") { Description = "Recompute activations in the backward pass" };
        var steps = new Option<int>("--steps") { Description = "Steps of each that are counted", DefaultValueFactory = _ => 5 };
        var kinds = new Option<string>("--kinds")
        {
            Description = $"What is trained by turns, with commas between: {string.Join(", ", AdapterBenchmark.Kinds)}; "
                + "ratios are to the first, and the peak of memory is one kind's where it is the only one",
            DefaultValueFactory = _ => "whole,lora,lora-dropout,dora",
        };
        var json = new Option<bool>("--json") { Description = "Print one JSON object" };
        var minutes = BenchCommand.Minutes();
        var command = new HandbookCommand("adapters", "Time steps of LoRA and its kin beside steps of the whole model, by turns.",
            "handbook bench adapters", "handbook bench adapters --shape tiny --rank 8 --json",
            "handbook bench adapters --shape smollm2-1.7b --batch 1 --kinds qlora --recompute")
        {
            shape, sequence, batch, rank, dtype, recompute, steps, kinds, minutes, json,
        };
        command.HasNothingToSave = true;
        command.SetAction((parsed, stop) =>
        {
            var options = new AdapterBenchmarkOptions(
                parsed.GetValue(shape)!, BenchCommand.Positive("--seq", parsed.GetValue(sequence)),
                BenchCommand.Positive("--batch", parsed.GetValue(batch)), BenchCommand.Positive("--rank", parsed.GetValue(rank)),
                BenchCommand.FindPrecision(parsed.GetValue(dtype)!), parsed.GetValue(recompute),
                BenchCommand.Positive("--steps", parsed.GetValue(steps)))
            {
                Kinds = parsed.GetValue(kinds)!.Split(',', StringSplitOptions.TrimEntries),
            };
            var budget = BenchCommand.Budget(parsed.GetValue(minutes), parsed.GetValue(json), terminal);
            var result = AdapterBenchmark.Run(options, budget, stop);
            if (parsed.GetValue(json))
                terminal.Output.WriteLine(ToJson(options, result).ToJsonString());
            else
                Print(result, terminal);
            return Task.FromResult(ExitCodes.Success);
        });
        return command;
    }

    private static JsonObject ToJson(AdapterBenchmarkOptions options, AdapterBenchmarkResult result) => new()
    {
        ["shape"] = options.Shape,
        ["seq"] = options.SequenceLength,
        ["batch"] = options.BatchSize,
        ["rank"] = options.Rank,
        ["dtype"] = BenchCommand.Precisions.First(entry => entry.Value == options.Precision).Key,
        ["recompute"] = options.Recompute,
        ["peak_memory_gb"] = result.PeakMemory / 1e9,
        ["kinds"] = new JsonArray([.. result.Timings.Select(timing => new JsonObject
        {
            ["name"] = timing.Name,
            ["trained"] = timing.TrainedCount,
            ["step_seconds"] = timing.StepSeconds,
            ["ratio"] = timing.Ratio,
            ["operations"] = BenchCommand.ToJson(timing.Operations, result.Steps),
        })]),
    };

    private static void Print(AdapterBenchmarkResult result, Terminal terminal)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumns("trained", "parameters", "s a step", $"of {result.Timings[0].Name}");
        foreach (var timing in result.Timings)
        {
            table.AddRow(
                Markup.Escape(timing.Name), ProgressText.Count(timing.TrainedCount),
                timing.StepSeconds.ToString("0.000", CultureInfo.InvariantCulture),
                    timing.Ratio.ToString("0.00", CultureInfo.InvariantCulture));
        }
        terminal.Ansi.Write(table);
        terminal.Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"peak memory {result.PeakMemory / 1e9:0.00} GB resident"));
    }
}
