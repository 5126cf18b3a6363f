using Handbook.Data.Packing;
using Handbook.Data.Preparation;
using Handbook.Data.Sources;
using Handbook.Data.Tests.Preparation;
using Handbook.TestSupport;

namespace Handbook.Data.Tests.Sources;

public sealed class FileFormatsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Prepare_SameConversationsInEveryFormat_GivesTheSameContentHash()
    {
        var conversations = DatasetWriters.Conversations(300);
        var hashes = new List<string>();
        foreach (var name in new[] { "t.jsonl", "t.json", "t.jsonl.gz", "t.jsonl.zst", "t.csv", "t.parquet" })
        {
            DatasetWriters.Write(folder.File(name), conversations);
            hashes.Add(Hash(name));
        }
        Directory.CreateDirectory(folder.File("saved"));
        DatasetWriters.Write(folder.File("saved/data-00000-of-00001.arrow"), conversations);
        folder.Write("saved/state.json", "{\"_data_files\": [{\"filename\": \"data-00000-of-00001.arrow\"}]}");
        hashes.Add(Hash("saved"));
        Assert.Single(hashes.Distinct());
        Assert.Equal(7, hashes.Count);

        string Hash(string name)
        {
            using var store = new DataPreparation(
                new PreparationOptions { Sources = [new DatasetPart(new DatasetRequest(name))],
                    Packing = new PackingOptions { MaxLength = 512 }, CacheFolder = folder.File("cache") },
                new ByteEncoder(), [new LocalDatasetResolver(folder.Path)]).Prepare();
            return store.ContentHash;
        }
    }

    [Theory]
    [InlineData("t.jsonl")]
    [InlineData("t.json")]
    [InlineData("t.csv")]
    [InlineData("t.parquet")]
    [InlineData("t.arrow")]
    [InlineData("t.jsonl.zst")]
    public void Read_WantedRows_GivesThoseAndCountsAll(string name)
    {
        DatasetWriters.Write(folder.File(name), DatasetWriters.Conversations(100));
        var file = FileFormats.Open(folder.File(name), new SourceOptions());
        Assert.Equal(100, file.Count());
        var rows = file.Read(index => index is 3 or 77).ToList();
        Assert.Equal([3L, 77L], rows.Select(row => row.Index));
        using var document = rows[1].Parse();
        Assert.StartsWith("Question 77:",
            document.RootElement.GetProperty("messages") is { ValueKind: System.Text.Json.JsonValueKind.Array } list
            ? list[1].GetProperty("content").GetString()
            : System.Text.Json.JsonDocument.Parse(document.RootElement.GetProperty("messages").GetString()!).RootElement[1]
                .GetProperty("content").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TextUnit.Line, new[] { "one", "two", "", "three", "", "", "four" })]
    [InlineData(TextUnit.Paragraph, new[] { "one\ntwo", "three", "four" })]
    [InlineData(TextUnit.Document, new[] { "one\ntwo\n\nthree\n\n\nfour\n" })]
    public void Read_Text_GivesTheUnitAskedFor(TextUnit unit, string[] expected)
    {
        var path = folder.Write("t.txt", "one\ntwo\n\nthree\n\n\nfour\n");
        var texts = FileFormats.Open(path, new SourceOptions { TextUnit = unit }).Read(null).Select(row =>
        {
            using var document = row.Parse();
            return document.RootElement.GetProperty("text").GetString();
        });
        Assert.Equal(expected, texts);
    }

    [Fact]
    public void Read_LongDocument_IsCutAtParagraphsAndLosesNothing()
    {
        var text = string.Concat(Enumerable.Range(0, 60_000)
            .Select(i => $"line {i} of a long book, which goes on and on\n{(i % 5 == 0 ? "\n" : "")}"));
        var path = folder.Write("t.txt", text);
        var parts = FileFormats.Open(path, new SourceOptions()).Read(null).Select(row =>
        {
            using var document = row.Parse();
            return document.RootElement.GetProperty("text").GetString()!;
        }).ToList();
        Assert.Equal(text, string.Concat(parts));
        Assert.True(parts.Count > 1);
        Assert.All(parts.SkipLast(1), part => Assert.EndsWith("\n\n", part, StringComparison.Ordinal));
    }

    [Fact]
    public void Read_CsvWithQuotesAndBreaks_KeepsValues()
    {
        var path = folder.Write("t.csv", "\uFEFFprompt,completion\r\n\"a, \"\"b\"\"\nc\",plain\r\n\r\n,\"\"\r\n");
        var rows = FileFormats.Open(path, new SourceOptions()).Read(null).ToList();
        Assert.Equal(["{\"prompt\":\"a, \\\"b\\\"\\nc\",\"completion\":\"plain\"}", "{\"prompt\":\"\",\"completion\":\"\"}"],
            rows.Select(row => System.Text.Encoding.UTF8.GetString(row.Json.Span)));
        Assert.Equal([2L, 5L], rows.Select(row => row.Place.Number));
    }

    [Theory]
    [InlineData("t.csv", 0)]
    [InlineData("t.csv", 5000)]
    [InlineData("t.csv.gz", 4999)]
    [InlineData("t.csv.zst", 100)]
    public void Read_CsvWithABrokenRow_NamesItsLineAndLosesNoOther(string name, int broken)
    {
        const int Count = 6000;
        var lines = Enumerable.Range(0, Count).Select(i => i == broken ? "only one field" : $"{i},\"text, of\r\n {i}\"");
        DatasetWriters.WriteCompressed(folder.File(name),
            System.Text.Encoding.UTF8.GetBytes("id,text\r\n" + string.Concat(lines.Select(line => line + "\r\n"))));
        var file = FileFormats.Open(folder.File(name), new SourceOptions());
        Assert.Equal(Count, file.Count());
        var rows = file.Read(null).ToList();
        Assert.Equal(Enumerable.Range(0, Count).Select(i => (long)i), rows.Select(row => row.Index));
        Assert.Equal([broken], rows.Where(row => row.Problem is not null).Select(row => (int)row.Index));
        Assert.Equal($"{folder.File(name)}, line {(2 * broken) + 2}: 1 field; expected 2 as in the heading (id, text)",
            Assert.Throws<BadRowException>(() => rows[broken].Parse()).Message);
        Assert.All(rows.Where(row => row.Index != broken), row =>
        {
            using var document = row.Parse();
            Assert.Equal(($"{row.Index}", $"text, of\r\n {row.Index}"),
                (document.RootElement.GetProperty("id").GetString(), document.RootElement.GetProperty("text").GetString()));
        });
        Assert.Equal([3L, 5900L], file.Read(index => index is 3 or 5900).Select(row => row.Index));
    }

    /// <summary>As pandas reads them.</summary>
    [Theory]
    [InlineData("a,b\n\n1,2\n\n3,4\n\n", "1|2", "3|4")]
    [InlineData("a,b\n1\"x,2\n", "1\"x|2")]
    [InlineData("a,b\n\"1\"x,2\n3,4", "1x|2", "3|4")]
    [InlineData("a,b\r\n1,2\n3,4\r\n", "1|2", "3|4")]
    [InlineData("a,b\nNULL,NA\n,\"\"\n", "NULL|NA", "|")]
    [InlineData("a,b\n#1,2\n", "#1|2")]
    [InlineData("a,b\n")]
    [InlineData("")]
    public void Read_CsvOddities_KeepsEveryValue(string text, params string[] expected)
    {
        var file = FileFormats.Open(folder.Write("t.csv", text), new SourceOptions());
        Assert.Equal(expected.Length, file.Count());
        Assert.Equal(expected, file.Read(null).Select(row =>
        {
            using var document = row.Parse();
            return string.Join('|', document.RootElement.EnumerateObject().Select(property => property.Value.GetString()));
        }));
    }

    [Fact]
    public void Open_UnknownEnding_ListsTheKnown() => Assert.Contains(".parquet",
        Assert.Throws<UserErrorException>(() => FileFormats.Open("x.xlsx", new SourceOptions())).Message, StringComparison.Ordinal);
}
