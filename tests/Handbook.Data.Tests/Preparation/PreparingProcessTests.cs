using System.Globalization;
using System.Text;
using System.Text.Json;
using Handbook.Data.Random;
using Handbook.TestSupport;
using Xunit.Abstractions;

namespace Handbook.Data.Tests.Preparation;

public sealed class PreparingProcessTests : IDisposable
{
    private readonly ITestOutputHelper output;
    private readonly TemporaryFolder folder = new();
    private readonly Lazy<string> tokenizer;

    public PreparingProcessTests(ITestOutputHelper output)
    {
        this.output = output;
        tokenizer = new(() =>
        {
            MadeText.Tokenizer(4000, "<|endoftext|>").Save(folder.File("tokenizer"));
            return folder.File("tokenizer");
        });
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Prepare_KilledAtTenMoments_EndsWithTheSameStoreAndNoLeftovers()
    {
        var data = folder.File(("data.jsonl"));
        WriteTexts(data, 6L << 20);
        var expected = PreparingProcess.Run(data, folder.File("undisturbed"), tokenizer.Value)["hash"];

        // The tokenizing of 6 MB is reported about 60 times, packing and finishing once each: kills fall on all of them.
        var random = new PythonRandom(20);
        var kills = 0;
        for (var i = 0; i < 10; i++)
            kills += PreparingProcess.RunAndKill(data, folder.File("killed"), tokenizer.Value, i < 2 ? 60 + i : random.Below(60)) ? 1 : 0;
        Assert.True(kills >= 5, $"only {kills} of 10 kills hit a running process");
        Assert.Equal(expected, PreparingProcess.Run(data, folder.File("killed"), tokenizer.Value)["hash"]);

        var left = Directory.GetFileSystemEntries(folder.File("killed/data"));
        Assert.Equal(["documents.bin", "store.json", "tokens.bin", "train.rows"],
            Directory.GetFileSystemEntries(Assert.Single(left)).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Prepare_200MegabytesOfJsonLines_StaysSmallAndSaysItsRate() => PrepareLarge(200L << 20);

    /// <summary>The long run; set HANDBOOK_LONG_TESTS to have it.</summary>
    [Fact]
    public void Prepare_2GigabytesOfJsonLinesWhenLongTestsAreAsked_StaysSmall()
    {
        var isAsked = Environment.GetEnvironmentVariable("HANDBOOK_LONG_TESTS") is { Length: > 0 };
        PrepareLarge(isAsked ? 2L << 30 : 2L << 20);
    }

    private void PrepareLarge(long bytes)
    {
        var data = folder.File("large.jsonl");
        WriteTexts(data, bytes);
        var said = PreparingProcess.Run(data, folder.File("cache"), tokenizer.Value);
        var peak = said.TryGetValue("VmHWM", out var text) ? long.Parse(text.Split(' ')[0], CultureInfo.InvariantCulture) / 1024 : 0;
        output.WriteLine($"{bytes >> 20} MB: {said["rate"]} MB/s, peak {peak} MB resident, packing efficiency {said["efficiency"]}");
        Assert.InRange(peak, 0, 700);
        Assert.True(double.Parse(said["efficiency"], CultureInfo.InvariantCulture) > 0.95);
    }

    /// <summary>The same answers over and over, each time with another number in them.</summary>
    private static void WriteTexts(string path, long bytes)
    {
        var texts = MadeText.Sentences(10_000).Chunk(20)
            .Select((sentences, i) => JsonSerializer.Serialize(string.Join(' ', sentences[..(1 + i % 20)]))).ToArray();
        using var file = new StreamWriter(path, false, new UTF8Encoding(false), 1 << 20);
        for (var (i, written) = (0L, 0L); written < bytes; i++)
        {
            var line = $"{{\"id\":{i},\"text\":\"{i * 7919 % 1000003} {texts[i % texts.Length].AsSpan(1)}}}\n";
            file.Write(line);
            written += line.Length;
        }
    }
}
