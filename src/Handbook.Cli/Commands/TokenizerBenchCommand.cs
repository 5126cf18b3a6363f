using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Handbook.Benchmarks;
using Handbook.Tokenizers;

namespace Handbook.Cli.Commands;

/// <summary><c>handbook bench tokenizer</c>: how fast a tokenizer encodes a text, on one thread and on all.</summary>
internal static class TokenizerBenchCommand
{
    public static Command Create(Terminal terminal)
    {
        var tokenizer = new Option<string>("--tokenizer") { Description = "Tokenizer folder", Required = true };
        var text = new Option<string>("--text") { Description = "Text file", Required = true };
        var seconds = new Option<double>("--seconds") { Description = "Time for each way of running", DefaultValueFactory = _ => 3 };
        var json = new Option<bool>("--json") { Description = "Print one JSON object" };
        var command = new HandbookCommand("tokenizer", "Time a tokenizer. benchmarks/tokenizer does the same with Hugging Face's library.",
            "handbook bench tokenizer --tokenizer model/ --text corpus.txt --json")
        {
            tokenizer, text, seconds, json,
        };
        command.HasNothingToSave = true;
        command.SetAction((parsed, stop) =>
        {
            if (parsed.GetValue(seconds) is not (> 0 and <= 3600))
                throw new UserErrorException($"--seconds: {parsed.GetValue(seconds).ToString(CultureInfo.InvariantCulture)} found, "
                    + "expected a number above 0 and up to 3600.");
            var loaded = Tokenizer.Load(parsed.GetValue(tokenizer)!);
            var benchmark = new TokenizerBenchmark(terminal.Clock) { Duration = TimeSpan.FromSeconds(parsed.GetValue(seconds)) };
            var content = ReadText(parsed.GetValue(text)!);
            terminal.Error.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"three ways, about {3 * parsed.GetValue(seconds):0.##} s"));
            var result = benchmark.Run(loaded, content, stop);
            terminal.Output.Write((parsed.GetValue(json) ? ToJson(result).ToJsonString() : ToText(result)) + "\n");
            return Task.FromResult(ExitCodes.Success);
        });
        return command;
    }

    private static string ReadText(string path)
    {
        var text = OrdinaryFile.ReadText(path, OrdinaryFile.TextLimit);
        return text.Length > 0 ? text : throw new UserErrorException($"{path}: is empty; expected text to encode.");
    }

    private static JsonObject ToJson(TokenizerBenchmarkResult result) => new()
    {
        ["documents"] = result.Documents,
        ["bytes"] = result.Bytes,
        ["tokens"] = result.Tokens,
        ["ids_sha256"] = result.IdsHash,
        ["first_pass"] = ToJson(result.FirstPass),
        ["one_thread"] = ToJson(result.OneThread),
        ["all_threads"] = ToJson(result.AllThreads),
    };

    private static JsonObject ToJson(TokenizerSpeed speed) => new()
    {
        ["threads"] = speed.Threads,
        ["megabytes_per_second"] = speed.MegabytesPerSecond,
        ["tokens_per_second"] = speed.TokensPerSecond,
        ["megabytes_per_processor_second"] = speed.MegabytesPerProcessorSecond,
    };

    private static string ToText(TokenizerBenchmarkResult result)
    {
        var (first, one, all) = (result.FirstPass, result.OneThread, result.AllThreads);
        return string.Create(CultureInfo.InvariantCulture,
            $"""
            text         {result.Bytes / 1e6:0.00} MB in {result.Documents} documents, {result.Tokens} tokens
            unseen text  {first.MegabytesPerSecond:0.0} MB/s, {first.TokensPerSecond:0} tokens/s (one thread, first pass)
            one thread   {one.MegabytesPerSecond:0.0} MB/s, {one.TokensPerSecond:0} tokens/s
            {all.Threads} threads    {all.MegabytesPerSecond:0.0} MB/s, {all.TokensPerSecond:0} tokens/s
            ids          sha256 {result.IdsHash}
            """);
    }
}
