using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Handbook.Benchmarks;
using Handbook.Cli.Progress;
using Handbook.Torch;
using Handbook.Training.Progress;

namespace Handbook.Cli.Commands;

/// <summary>
/// <c>handbook bench dpo</c>: what shared prompts are worth on real pairs, against padded and packed pairs in the same run.
/// </summary>
internal static class DpoBenchCommand
{
    public static Command Create(Terminal terminal)
    {
        var shape = new Option<string>("--shape")
        {
            Description = $"Model shape: {string.Join(", ", ModelShape.Names)}", DefaultValueFactory = _ => "smollm2-135m",
        };
        var data = new Option<string>("--data") { Description = "File of preference pairs", Required = true };
        var pairs = new Option<int>("--pairs") { Description = "Pairs of a micro-batch", DefaultValueFactory = _ => 4 };
        var maxLength = new Option<int>("--max-length")
        {
            Description = "Most tokens of a prompt with an answer", DefaultValueFactory = _ => 1024,
        };
        var tokenizer = new Option<string?>("--tokenizer")
        {
            Description = "Tokenizer folder; without it byte-level BPE is trained on the file",
        };
        var dtype = new Option<string>("--dtype")
        {
            Description = $"{string.Join(", ", BenchCommand.Precisions.Keys)}", DefaultValueFactory = _ => "auto",
        };
        var batches = new Option<int>("--batches")
        {
            Description = "Micro-batches, chosen to stand for the file", DefaultValueFactory = _ => 16,
        };
        var json = new Option<bool>("--json") { Description = "Print one JSON object" };
        var minutes = BenchCommand.Minutes();
        var command = new HandbookCommand(
            "dpo", "Time forward and backward passes of DPO over real pairs: padded as TRL "
                + "does it, packed, and packed with shared prompts.",
            "handbook bench dpo --shape smollm2-135m --data pairs.jsonl --pairs 4 --json",
            "handbook bench dpo --data pairs.jsonl --tokenizer model/")
        {
            shape, data, pairs, maxLength, tokenizer, dtype, batches, minutes, json,
        };
        command.HasNothingToSave = true;
        command.SetAction((parsed, stop) =>
        {
            var options = new PairBenchmarkOptions(
                parsed.GetValue(shape)!, parsed.GetValue(data)!, parsed.GetValue(tokenizer),
                BenchCommand.Positive("--pairs", parsed.GetValue(pairs)),
                BenchCommand.Positive("--max-length", parsed.GetValue(maxLength)), BenchCommand.FindPrecision(parsed.GetValue(dtype)!),
                BenchCommand.Positive("--batches", parsed.GetValue(batches)));
            var isJson = parsed.GetValue(json);
            var result = PairBenchmark.Run(options, BenchCommand.Budget(parsed.GetValue(minutes), isJson, terminal), stop);
            if (isJson)
                terminal.Output.WriteLine(ToJson(options, result).ToJsonString());
            else
                Print(options, result, terminal);
            return Task.FromResult(ExitCodes.Success);
        });
        return command;
    }

    private static JsonObject ToJson(PairBenchmarkOptions options, PairBenchmarkResult result) => new()
    {
        ["shape"] = options.Shape,
        ["data"] = options.Data,
        ["pairs"] = options.Pairs,
        ["max_length"] = options.MaxLength,
        ["dtype"] = BenchCommand.Precisions.First(entry => entry.Value == options.Precision).Key,
        ["tokenizer"] = result.Tokenizer,
        ["threads"] = ParallelWork.ThreadCount,
        ["libtorch"] = LibtorchLibrary.Version.ToString(),
        ["batches"] = result.Batches.Count,
        ["pairs_per_second"] = ByVariant(result.PairsPerSecond),
        ["speedup_vs_padded"] = result.Speedup(PairVariant.Shared, PairVariant.Padded),
        ["speedup_sharing"] = result.Speedup(PairVariant.Shared, PairVariant.Packed),
        ["median_speedup_vs_padded"] = result.MedianSpeedup(PairVariant.Shared, PairVariant.Padded),
        ["median_speedup_sharing"] = result.MedianSpeedup(PairVariant.Shared, PairVariant.Packed),
        ["processor_speedup_vs_padded"] = result.ProcessorSpeedup(PairVariant.Shared, PairVariant.Padded),
        ["processor_speedup_sharing"] = result.ProcessorSpeedup(PairVariant.Shared, PairVariant.Packed),
        ["tokens_allow_vs_padded"] = result.Allowed(PairVariant.Shared, PairVariant.Padded),
        ["tokens_allow_sharing"] = result.Allowed(PairVariant.Shared, PairVariant.Packed),
        ["file_tokens_allow_vs_padded"] = result.FileAllows(PairVariant.Shared, PairVariant.Padded),
        ["file_tokens_allow_sharing"] = result.FileAllows(PairVariant.Shared, PairVariant.Packed),
        ["tokens"] = ByVariant(variant => result.Tokens(variant)),
        ["seconds"] = ByVariant(result.Seconds),
        ["reference"] = new JsonObject
        {
            ["used"] = "stored",
            ["store_seconds"] = result.StoreSeconds,
            ["stored_lookup_seconds"] = result.Batches.Sum(batch => batch.StoredReferenceSeconds),
            ["live_seconds"] = result.Batches.Sum(batch => batch.LiveReferenceSeconds),
            ["pairs_per_second_stored"] = result.PairsPerSecond(PairVariant.Shared),
            ["pairs_per_second_live"] = result.PairsPerSecondWithLiveReference,
            ["memory_saved_gb"] = result.ModelBytes / 1e9,
        },
        ["optimizer_seconds_per_step"] = result.OptimizerSeconds,
        ["matrix_gflops"] = result.MatrixFlops / 1e9,
        ["micro_batches"] = new JsonArray([.. result.Batches.Select(batch => (JsonNode)new JsonObject
        {
            ["tokens"] = new JsonArray([.. batch.Tokens.Select(count => (JsonNode)count)]),
            ["seconds"] = new JsonArray([.. batch.Seconds.Select(seconds => (JsonNode)seconds)]),
            ["processor_seconds"] = new JsonArray([.. batch.ProcessorSeconds.Select(seconds => (JsonNode)seconds)]),
        })]),
        ["operations"] = ByVariant(variant => new JsonArray([.. result.Operations[(int)variant].Select(time => (JsonNode)new JsonObject
        {
            ["operation"] = time.Operation,
            ["pass"] = time.Pass,
            ["seconds"] = time.Seconds,
        })])),
    };

    private static JsonObject ByVariant(Func<PairVariant, JsonNode> value) =>
        new(Enum.GetValues<PairVariant>()
            .Select(variant => KeyValuePair.Create(variant.ToString().ToLowerInvariant(), (JsonNode?)value(variant))));

    private static JsonObject ByVariant(Func<PairVariant, double> value) => ByVariant(variant => (JsonNode)value(variant));

    private static void Print(PairBenchmarkOptions options, PairBenchmarkResult result, Terminal terminal)
    {
        terminal.Output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{options.Shape}, {result.PairCount} pairs of {options.Data} in micro-batches of "
                + $"{options.Pairs}, {result.Tokenizer}; reference from the store"));
        ResultTable.Write(["way", "pairs/s", "tokens a batch", "seconds a batch"],
        [
            .. Enum.GetValues<PairVariant>().Select(variant => (IReadOnlyList<string>)
            [
                variant.ToString().ToLowerInvariant(), Invariant($"{result.PairsPerSecond(variant):0.00}"),
                Invariant($"{(double)result.Tokens(variant) / result.Batches.Count:0}"),
                Invariant($"{result.Seconds(variant) / result.Batches.Count:0.00}"),
            ]),
        ], terminal);
        terminal.Output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"shared against padded  {result.Speedup(PairVariant.Shared, PairVariant.Padded):0.00} times as fast (tokens allow "
                + $"{result.Allowed(PairVariant.Shared, PairVariant.Padded):0.00})"));
        terminal.Output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"shared against packed  {result.Speedup(PairVariant.Shared, PairVariant.Packed):0.00} times as fast (tokens allow "
                + $"{result.Allowed(PairVariant.Shared, PairVariant.Packed):0.00})"));
        terminal.Output.WriteLine(Invariant(
            $"reference live         {result.PairsPerSecondWithLiveReference:0.00} pairs/s, and {result.ModelBytes / 1e9:0.00} GB more"));
        terminal.Output.WriteLine(Invariant(
            $"optimizer step         {result.OptimizerSeconds:0.00} s, not counted above: once for all micro-batches of a step"));
        terminal.Output.WriteLine(Invariant($"matrix rate            {result.MatrixFlops / 1e9:0} GFLOP/s"));
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
