using System.Text.Json;

namespace Handbook.Cli.Tests;

public sealed class TokenizerCommandTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("tokenizer-command");

    public void Dispose() => folder.Delete(recursive: true);

    private string At(string name) => Path.Combine(folder.FullName, name);

    [Fact]
    public async Task Train_TextAndJsonLines_WritesFolderThatBenchReads()
    {
        await File.WriteAllTextAsync(At("a.txt"), "the cat sat on the mat\nthe cat ate\n");
        await File.WriteAllTextAsync(At("b.jsonl"), """{"messages":[{"role":"user","content":"the hat the hat"}]}""" + "\n");
        var trained = await Invocation.RunAsync(
            "tokenizer", "train", "--text", At("a.txt"), At("b.jsonl"), "--vocab-size", "262", "--eos", "<|end|>", "--output", At("out"));
        Assert.Equal((ExitCodes.Success, "", $"{At("out")}: 262 tokens\n"), (trained.ExitCode, trained.Error, trained.Output));
        var bench = await Invocation.RunAsync("bench", "tokenizer", "--tokenizer", At("out"), "--text", At("a.txt"), "--seconds",
            "0.01", "--json");
        var result = JsonDocument.Parse(bench.Output).RootElement;
        Assert.Equal((1, 35L), (result.GetProperty("documents").GetInt32(), result.GetProperty("bytes").GetInt64()));
        foreach (var way in new[] { "first_pass", "one_thread" })
            Assert.True(result.GetProperty(way).GetProperty("megabytes_per_second").GetDouble() > 0);
        Assert.Equal("three ways, about 0.03 s\n", bench.Error);
        Assert.True(result.GetProperty("all_threads").GetProperty("tokens_per_second").GetDouble() > 0);
    }

    [Fact]
    public async Task Train_BrokenRow_NamesFileAndLine()
    {
        foreach (var (row, reason) in new[] { ("{\"text", ": the text ends inside quotes."),
            ("[1]", "; a row is one, with its text under text, prompt, completion or messages.") })
        {
            await File.WriteAllTextAsync(At("b.jsonl"), "{\"text\":\"fine\"}\n" + row + "\n");
            var invocation = await Invocation.RunAsync("tokenizer", "train", "--text", At("b.jsonl"), "--output", At("out"));
            Assert.Equal(ExitCodes.UserError, invocation.ExitCode);
            Assert.Equal($"{At("b.jsonl")}:2: is not a JSON object{reason}", Assert.Single(invocation.ErrorLines));
            Assert.False(Directory.Exists(At("out")));
        }
    }

    [Theory]
    [InlineData("--model-max-length 0: must be at least 1.", "--model-max-length", "0")]
    [InlineData("--min-frequency -1: must be at least 1.", "--min-frequency=-1")]
    [InlineData("--special-token <|x|>: is given twice.", "--special-token", "<|x|>", "<|x|>")]
    public async Task Train_SettingThatCannotBe_IsRefused(string expected, params string[] words)
    {
        await File.WriteAllTextAsync(At("a.txt"), "the cat\n");
        var refused = await Invocation.RunAsync(["tokenizer", "train", "--text", At("a.txt"), "--output", At("out"), .. words]);
        Assert.Equal((ExitCodes.UserError, expected), (refused.ExitCode, Assert.Single(refused.ErrorLines)));
        Assert.False(Directory.Exists(At("out")));
    }

    [Fact]
    public async Task Train_BrokenChatTemplate_IsRefusedWithItsLine()
    {
        await File.WriteAllTextAsync(At("a.txt"), "the cat\n");
        await File.WriteAllTextAsync(At("chat.jinja"), "{% for m in messages %}\n{{ m.content ");
        var refused = await Invocation.RunAsync("tokenizer", "train", "--text", At("a.txt"), "--output", At("out"),
            "--chat-template", At("chat.jinja"));
        Assert.Equal(ExitCodes.UserError, refused.ExitCode);
        Assert.StartsWith($"--chat-template {At("chat.jinja")}: chat template line 2, ",
            Assert.Single(refused.ErrorLines), StringComparison.Ordinal);
        Assert.False(Directory.Exists(At("out")));
    }

    [Fact]
    public async Task Train_CompressedText_SaysSo()
    {
        await using (var packed = new System.IO.Compression.GZipStream(File.Create(At("a.txt.gz")),
            System.IO.Compression.CompressionLevel.Fastest))
            await packed.WriteAsync("the cat\n"u8.ToArray());
        var refused = await Invocation.RunAsync("tokenizer", "train", "--text", At("a.txt.gz"), "--output", At("out"));
        Assert.Equal((ExitCodes.UserError, $"{At("a.txt.gz")}: is compressed (gzip); expected text: unpack it first."),
            (refused.ExitCode, Assert.Single(refused.ErrorLines)));
    }

    [Fact]
    public async Task Bench_MissingFolder_SaysSo()
    {
        var invocation = await Invocation.RunAsync("bench", "tokenizer", "--tokenizer", At("none"), "--text", At("none.txt"));
        Assert.Equal((ExitCodes.UserError, $"{At("none")}: the tokenizer folder does not exist\n"),
            (invocation.ExitCode, invocation.Error));
    }
}
