using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Handbook.Benchmarks;
using Handbook.Torch;

namespace Handbook.Cli.Commands;

/// <summary><c>handbook bench generate</c>: tokens a second, against what the memory's own rate allows.</summary>
internal static class GenerateBenchCommand
{
    public static Command Create(Terminal terminal)
    {
        var shape = new Option<string>("--shape")
        {
            Description = $"Model shape: {string.Join(", ", ModelShape.Names)}", DefaultValueFactory = _ => "smollm2-135m",
        };
        var dtype = new Option<string>("--dtype") { Description = "bf16 or fp32", DefaultValueFactory = _ => "bf16" };
        var batch = new Option<int[]>("--batch")
        {
            Description = "Sequences that grow together; may be given several times", DefaultValueFactory = _ => [1, 32],
            AllowMultipleArgumentsPerToken = true,
        };
        var prompt = new Option<int>("--prompt") { Description = "Tokens of a prompt", DefaultValueFactory = _ => 32 };
        var tokens = new Option<int>("--tokens") { Description = "Tokens generated for each prompt", DefaultValueFactory = _ => 64 };
        var json = new Option<bool>("--json") { Description = "Print one JSON object" };
        var minutes = BenchCommand.Minutes();
        var command = new HandbookCommand(
            "generate", "Time generation, one sequence and many at once, and say which share of the memory's own rate it reaches.",
            "handbook bench generate --shape smollm2-135m --json", "handbook bench generate --batch 1 --batch 8 --tokens 128")
        {
            shape, dtype, batch, prompt, tokens, minutes, json,
        };
        command.HasNothingToSave = true;
        command.SetAction((parsed, stop) =>
        {
            var options = new GenerationBenchmarkOptions(
                parsed.GetValue(shape)!, FindDType(parsed.GetValue(dtype)!),
                [.. parsed.GetValue(batch)!.Select(count => BenchCommand.Positive("--batch", count))],
                BenchCommand.Positive("--prompt", parsed.GetValue(prompt)),
                Math.Max(2, BenchCommand.Positive("--tokens", parsed.GetValue(tokens))));
            var result = GenerationBenchmark.Run(options, BenchCommand.Budget(parsed.GetValue(minutes), parsed.GetValue(json), terminal),
                stop);
            terminal.Output.Write((parsed.GetValue(json) ? ToJson(options, result).ToJsonString() : ToText(result)) + "\n");
            return Task.FromResult(ExitCodes.Success);
        });
        return command;
    }

    private static DType FindDType(string name) => name switch
    {
        "bf16" => DType.BFloat16,
        "fp32" => DType.Float32,
        _ => throw new UserErrorException($"--dtype: {name} is none of bf16, fp32."),
    };

    private static JsonObject ToJson(GenerationBenchmarkOptions options, GenerationBenchmarkResult result) => new()
    {
        ["shape"] = options.Shape,
        ["dtype"] = options.DType.Name(),
        ["prompt_tokens"] = options.PromptTokens,
        ["new_tokens"] = options.NewTokens,
        ["threads"] = ParallelWork.ThreadCount,
        ["libtorch"] = LibtorchLibrary.Version.ToString(),
        ["read_gb_per_second"] = result.ReadBandwidth / 1e9,
        ["batches"] = new JsonArray([.. result.Times.Select(time => (JsonNode)new JsonObject
        {
            ["batch"] = time.Batch,
            ["tokens_per_second"] = time.TokensPerSecond,
            ["step_seconds"] = time.StepSeconds,
            ["total_seconds"] = time.TotalSeconds,
            ["bytes_per_step"] = time.BytesPerStep,
            ["bandwidth_share"] = result.BandwidthShare(time),
        })]),
    };

    private static string ToText(GenerationBenchmarkResult result) => string.Join('\n', [
        .. result.Times.Select(time => string.Create(CultureInfo.InvariantCulture,
            $"batch {time.Batch,-4} {time.TokensPerSecond:0.0} tokens/s, {time.StepSeconds * 1e3:0.0} ms a step, "
                + $"{result.BandwidthShare(time):P0} of the memory's rate")),
        Invariant($"memory     {result.ReadBandwidth / 1e9:0.0} GB/s read, {Quantity.Of(ParallelWork.ThreadCount, "thread")}")]);

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
