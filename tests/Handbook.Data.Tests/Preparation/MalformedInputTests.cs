using System.Text;
using Handbook.Data.Packing;
using Handbook.Data.Preparation;
using Handbook.Data.Sources;
using Handbook.Data.Store;
using Handbook.Data.Tests.Sources;
using Handbook.TestSupport;

namespace Handbook.Data.Tests.Preparation;

/// <summary>Broken input ends with one line that says where; told to skip, the rest is prepared and the loss counted.</summary>
public sealed class MalformedInputTests : IDisposable
{
    private const string Good = "{\"messages\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":\"a\"}]}\n";
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    public static TheoryData<string, string> BadLines() => new()
    {
        { "{\"messages\":[{\"role\":\"user\"",
            "not valid JSON at column 28: the line ends inside an object or a list; one "
                + "object a line, or one list of objects, is expected" },
        { "{\"messages\":7}", "column \"messages\": a number; expected a text or a list of messages" },
        { "{\"other\":1}", "column \"messages\": missing or null" },
        { "{\"messages\":[{\"role\":\"asistant\",\"content\":\"q\"}]}", "column \"messages\": message 1 has the role asistant" },
        { "{\"messages\":[{\"role\":\"user\",\"content\":\"half \\ud83d\"}]}", "half a surrogate pair (\\ud83d) at column 45" },
        { "{\"messages\":[{\"role\":\"user\",\"content\":NaNs}]}", "not valid JSON" },
        { "{\"messages\":[{\"role\":\"user\",\"content\":\"\u0001q\"}]}", "not valid JSON" },
        { "{\"messages\":[{\"role\":\"user\",\"content\":\"q\u00ff\"}]}", "invalid UTF-8: byte 0xFF at column 41" },
        { "{\"messages\":[{\"role\":\"user\",\"content\":{\"a\":1}}]}",
            "column \"messages\": message 1 has a content that is an object; expected a text" },
        { "3", "a row is a number; expected an object" },
    };

    [Theory]
    [MemberData(nameof(BadLines))]
    public void Prepare_BadLine_IsNamedOrSkipped(string line, string problem)
    {
        // Latin-1 bytes, so that a character above 0x7F is not valid UTF-8.
        File.WriteAllBytes(folder.File("t.jsonl"),
            [.. Encoding.UTF8.GetBytes(Good + Good), .. Encoding.Latin1.GetBytes(line), (byte)'\n', .. Encoding.UTF8.GetBytes(Good)]);
        var message = Assert.Throws<UserErrorException>(() => Prepare("t.jsonl")).Message;
        Assert.StartsWith($"{folder.File("t.jsonl")}, line 3", message, StringComparison.Ordinal);
        Assert.Contains(problem, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
        Assert.Empty(Directory.GetFileSystemEntries(folder.File("cache/data")));
        using var store = Prepare("t.jsonl", skip: true);
        Assert.Equal((3, 1), (store.ExampleCount, store.Manifest.BadRows));
        Assert.Contains(problem, store.Manifest.BadRowExamples[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Prepare_HundredMegabyteLine_IsNamedWithoutBeingHeld()
    {
        using (var file = File.Create(folder.File("t.jsonl")))
        {
            file.Write(Encoding.UTF8.GetBytes(Good + "{\"messages\":\""));
            var block = Encoding.UTF8.GetBytes(new string('x', 1 << 20));
            for (var i = 0; i < 100; i++)
                file.Write(block);
            file.Write(Encoding.UTF8.GetBytes("\"}\n" + Good));
        }
        // The line reader's buffer doubles up to 128 MiB and is then used again: less than the sum of its sizes is ever asked for.
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal([0L, 1L, 2L], FileFormats.Open(folder.File("t.jsonl"), new SourceOptions()).Read(null).Select(row => row.Index));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 300L << 20);
        Assert.Contains("line 2: the row is 100.0 MiB long; at most 64 MiB are read as one row",
            Assert.Throws<UserErrorException>(() => Prepare("t.jsonl")).Message, StringComparison.Ordinal);
        using var store = Prepare("t.jsonl", skip: true);
        Assert.Equal((2, 1), (store.ExampleCount, store.Manifest.BadRows));
    }

    [Fact]
    public void Prepare_ParquetCutShort_NamesTheFile()
    {
        DatasetWriters.Write(folder.File("t.parquet"), DatasetWriters.Conversations(500));
        using (var file = File.OpenWrite(folder.File("t.parquet")))
            file.SetLength(file.Length / 2);
        var message = Assert.Throws<UserErrorException>(() => Prepare("t.parquet")).Message;
        Assert.StartsWith($"{folder.File("t.parquet")}: cannot be read:", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Theory]
    [InlineData("t.jsonl.gz")]
    [InlineData("t.jsonl.zst")]
    [InlineData("t.arrow")]
    [InlineData("t.json")]
    [InlineData("t.csv")]
    public void Prepare_FileCutShort_NamesTheFile(string name)
    {
        DatasetWriters.Write(folder.File(name), DatasetWriters.Conversations(500));
        using (var file = File.OpenWrite(folder.File(name)))
            file.SetLength(file.Length / 2);
        var message = Assert.Throws<UserErrorException>(() => Prepare(name)).Message;
        Assert.StartsWith(folder.File(name), message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void Prepare_TextThatIsNotUtf8_NamesTheLineWithinTheDocument()
    {
        File.WriteAllBytes(folder.File("t.txt"), [.. "good line\nand\n"u8, .. "caf"u8, 0xE9, .. " au lait\n"u8]);
        Assert.StartsWith($"{folder.File("t.txt")}, line 3: invalid UTF-8: byte 0xE9 at column 4",
            Assert.Throws<UserErrorException>(() => Prepare("t.txt")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Prepare_CsvRowWithTooFewFields_IsNamed()
    {
        folder.Write("t.csv", "prompt,completion\na,b\nc\nd,e\n");
        Assert.Contains("line 3: 1 field; expected 2 as in the heading (prompt, completion)",
            Assert.Throws<UserErrorException>(() => Prepare("t.csv")).Message, StringComparison.Ordinal);
        using var store = Prepare("t.csv", skip: true);
        Assert.Equal((2, 1), (store.ExampleCount, store.Manifest.BadRows));
    }

    [Fact]
    public void Prepare_ParquetWithAWrongRow_NamesRowAndColumn()
    {
        DatasetWriters.WriteParquet(folder.File("t.parquet"),
            Encoding.UTF8.GetBytes(Good + "{\"messages\":[{\"role\":\"asistant\",\"content\":\"q\"}]}\n"));
        Assert.Contains("t.parquet, row 2, column \"messages\": message 1 has the role asistant",
            Assert.Throws<UserErrorException>(() => Prepare("t.parquet")).Message, StringComparison.Ordinal);
    }

    /// <summary>However many rows are broken before the first good one, and whatever they break.</summary>
    [Theory]
    [InlineData("t.jsonl", "oops\n", Good, 0)]
    [InlineData("t.jsonl", "{\"messages\":null,\"id\":1}\n", Good, 0)]
    [InlineData("t.csv", "only one field\n", "\"q, q\",a\n", 1)]
    public void Prepare_ManyBadRowsFirst_AreNamedOrSkipped(string name, string bad, string good, int heading)
    {
        folder.Write(name, (heading > 0 ? "prompt,completion\n" : "") + string.Concat(Enumerable.Repeat(bad, 300)) + good);
        Assert.StartsWith($"{folder.File(name)}, line {1 + heading}", Assert.Throws<UserErrorException>(() => Prepare(name)).Message,
            StringComparison.Ordinal);
        using var store = Prepare(name, skip: true);
        Assert.Equal((1, 300), (store.ExampleCount, store.Manifest.BadRows));
    }

    [Fact]
    public void Prepare_OnlyBadRows_NamesTheFirst()
    {
        folder.Write("t.jsonl", string.Concat(Enumerable.Repeat("{\n", 40)));
        foreach (var skip in new[] { false, true })
            Assert.StartsWith($"{folder.File("t.jsonl")}, line 1: not valid JSON",
                Assert.Throws<UserErrorException>(() => Prepare("t.jsonl", skip)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" (skipping bad rows)")]
    public void Prepare_HalfAFileAndSkip_IsStillRefused(string skip)
    {
        foreach (var name in new[] { "t.jsonl.gz", "t.jsonl.zst" })
        {
            DatasetWriters.Write(folder.File(name), DatasetWriters.Conversations(500));
            using (var file = File.OpenWrite(folder.File(name)))
                file.SetLength(file.Length / 2);
            Assert.StartsWith($"{folder.File(name)}: cannot be read: the compressed data ends early",
                Assert.Throws<UserErrorException>(() => Prepare(name, skip.Length > 0)).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("", "has no rows")]
    [InlineData("\n\n", "has no rows")]
    public void Prepare_EmptyFile_SaysSo(string content, string problem)
    {
        folder.Write("t.jsonl", content);
        Assert.Contains(problem, Assert.Throws<UserErrorException>(() => Prepare("t.jsonl")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Prepare_MissingFile_SaysWhereItLookedAndWhatIsNear()
    {
        folder.Write("train.jsonl", Good);
        Assert.Contains("Did you mean train.jsonl?", Assert.Throws<UserErrorException>(() => Prepare("trian.jsonl")).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Prepare_CacheThatCannotBeWritten_SaysSo()
    {
        folder.Write("t.jsonl", Good);
        folder.Write("cache", "a file where a folder should be");
        Assert.Contains("set HANDBOOK_CACHE", Assert.Throws<UserErrorException>(() => Prepare("t.jsonl")).Message,
            StringComparison.Ordinal);
    }

    private TokenStore Prepare(string name, bool skip = false) => new DataPreparation(
        new PreparationOptions
        {
            Sources = [new DatasetPart(new DatasetRequest(name))],
            Packing = new PackingOptions { MaxLength = 512 },
            SkipBadRows = skip,
            CacheFolder = folder.File("cache"),
        }, new ByteEncoder(), [new LocalDatasetResolver(folder.Path)]).Prepare();
}
