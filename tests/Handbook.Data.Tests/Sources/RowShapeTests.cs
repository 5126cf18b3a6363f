using System.Text;
using Handbook.Data.Cleaning;
using Handbook.Data.Sources;
using Handbook.TestSupport;

namespace Handbook.Data.Tests.Sources;

/// <summary>Rows that are odd, but that the libraries people come from read.</summary>
public sealed class RowShapeTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("{\"a\":NaN,\"b\":[Infinity,-Infinity,-NaN],\"c\":{\"d\":Inf,\"e\":-Inf}}",
        "{\"a\":\"NaN\",\"b\":[\"Infinity\",\"-Infinity\",\"NaN\"],\"c\":{\"d\":\"Infinity\",\"e\":\"-Infinity\"}}")]
    [InlineData("{\"a\":\"NaN \\\" Infinity\",\"NaN\":-1}", "{\"a\":\"NaN \\\" Infinity\",\"NaN\":-1}")]
    [InlineData("{\"a\":1e400,\"b\":123456789012345678901234567890}", "{\"a\":1e400,\"b\":123456789012345678901234567890}")]
    public void Parse_NumbersThatJsonDoesNotHave_AreTexts(string json, string expected)
    {
        using var document = Row(json).Parse();
        Assert.Equal(expected, document.RootElement.GetRawText());
    }

    [Theory]
    [InlineData("{\"a\":NaNo}")]
    [InlineData("{\"a\":Nan}")]
    [InlineData("{\"a\":\"NaN")]
    [InlineData("NaN")]
    public void Parse_WhatOnlyLooksLikeThem_IsABadRow(string json) => Assert.Throws<BadRowException>(() => Row(json).Parse());

    [Theory]
    [InlineData("{\"a\":\"x\\ud83d\"}", "half a surrogate pair (\\ud83d) at column 8")]
    [InlineData("{\"a\":\"\\uDE00\"}", "half a surrogate pair (\\uDE00) at column 7")]
    [InlineData("{\"a\":\"\\ud83d\\ud83d\\ude00\"}", "half a surrogate pair (\\ud83d) at column 7")]
    [InlineData("{\"\\udc00\":1}", "half a surrogate pair (\\udc00) at column 3")]
    public void Parse_HalfASurrogatePair_IsABadRowWithItsColumn(string json, string problem) =>
        Assert.Equal($"t.jsonl, line 7: {problem}", Assert.Throws<BadRowException>(() => Row(json).Parse()).Message);

    [Theory]
    [InlineData("{\"a\":\"\\ud83d\\ude00\"}", "\U0001F600")]
    [InlineData("{\"a\":\"\\\\ud83d\"}", "\\ud83d")]
    [InlineData("{\"a\":\"\\ud7ff\\ue000\"}", "\ud7ff\ue000")]
    public void Parse_WholePairsAndEscapedBackslashes_AreTexts(string json, string expected)
    {
        using var document = Row(json).Parse();
        Assert.Equal(expected, document.RootElement.GetProperty("a").GetString());
    }

    [Fact]
    public void Guard_AnyException_IsThatRowsFault()
    {
        var place = new RowPlace("t.jsonl", 7, IsLine: true);
        Assert.Equal("t.jsonl, line 7: cannot be used: out of it",
            Assert.Throws<BadRowException>(() => BadRowException.Guard<int>(place,
                () => throw new KeyNotFoundException("out of it"))).Message);
        Assert.Throws<OperationCanceledException>(() => BadRowException.Guard<int>(place, () => throw new OperationCanceledException()));
    }

    [Theory]
    [InlineData("score >= 1", "NaN", false)]
    [InlineData("score < 1", "NaN", false)]
    [InlineData("score != 1", "NaN", true)]
    [InlineData("score > 1", "Infinity", true)]
    [InlineData("score < 1", "-Infinity", true)]
    public void Keeps_NonFiniteNumbers_CompareAsNumbersDo(string filter, string number, bool kept)
    {
        using var document = Row($"{{\"score\":{number}}}").Parse();
        Assert.Equal(kept, ColumnFilter.Parse(filter).Keeps(new RowColumns(document.RootElement, new SourceOptions())));
    }

    [Theory]
    [InlineData("list.jsonl", "[{\"text\":\"a\"},\n {\"text\":\"b\"}]\n", "a b")]
    [InlineData("list.ndjson", "  [ {\"text\":\"a\"} ]", "a")]
    [InlineData("texts.json", "[\"a\", \"b\\n\", \"\"]", "a b\n ")]
    [InlineData("texts.jsonl", "[\n\"a\"\n,\"b\"]", "a b")]
    [InlineData("lines.json", "{\"text\":\"a\"}\n{\"text\":\"b\"}\n", "a b")]
    [InlineData("none.json", "[]", "")]
    public void Read_JsonUnderAnyEnding_GivesItsRows(string name, string content, string expected)
    {
        var file = FileFormats.Open(folder.Write(name, content), new SourceOptions());
        var texts = file.Read(null).Select(row => Text(row)).ToList();
        Assert.Equal(expected, string.Join(' ', texts));
        Assert.Equal(texts.Count, file.Count());
        Assert.Equal(texts.Skip(1), file.Read(index => index > 0).Select(Text));
    }

    [Fact]
    public void Read_ListOfTextsAndOthers_NamesTheOthers()
    {
        var rows = FileFormats.Open(folder.Write("t.json", "[\"a\", 3, {\"text\":\"b\"}]"), new SourceOptions()).Read(null).ToList();
        Assert.Equal("a", Text(rows[0]));
        Assert.All(rows.Skip(1),
            row => Assert.Contains("expected one, since the list begins with a text",
                Assert.Throws<BadRowException>(() => row.Parse()).Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("[{\"text\":\"a\"}]\n[{\"text\":\"b\"}]", "line 2, after row 1: text stands behind the list's closing bracket")]
    [InlineData("[{\"text\":\"a\"}\n{\"text\":\"b\"}]", "line 2, after row 1: found '{'; expected a comma")]
    [InlineData("[{\"text\":\"a\"},", "after row 1: the file ends early")]
    public void Read_BrokenList_SaysWhere(string content, string problem)
    {
        var path = folder.Write("t.json", content);
        Assert.Contains(problem,
            Assert.Throws<UserErrorException>(() => FileFormats.Open(path, new SourceOptions()).Read(null).Count()).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Read_LineThatIsAList_IsABadRowAmongOthers()
    {
        var rows = FileFormats.Open(folder.Write("t.jsonl", "[broken\n{\"text\":\"a\"}\n"), new SourceOptions()).Read(null).ToList();
        Assert.Throws<BadRowException>(() => rows[0].Parse());
        Assert.Equal("a", Text(rows[1]));
    }

    [Theory]
    [InlineData("a,a,a", "a|a.1|a.2")]
    [InlineData("a,a.1,a", "a|a.1|a.2")]
    [InlineData("a,a,a.1", "a|a.2|a.1")]
    [InlineData("A,a,\u00c4,\u00e4", "A|a|\u00c4|\u00e4")]
    [InlineData("t,T,columns,rowid", "t|T|columns|rowid")]
    [InlineData(",x,", "Unnamed: 0|x|Unnamed: 2")]
    [InlineData(",Unnamed: 0", "Unnamed: 0.1|Unnamed: 0")]
    public void Read_CsvHeading_NamesColumnsAsPandasDoes(string heading, string expected)
    {
        var names = expected.Split('|');
        var rows = FileFormats.Open(folder.Write("t.csv", $"{heading}\n{string.Join(',', names.Select((_, i) => $"v{i}"))}\n"),
            new SourceOptions()).Read(null).ToList();
        using var document = rows.Single().Parse();
        Assert.Equal(names.Select((name, i) => (name, $"v{i}")),
            document.RootElement.EnumerateObject().Select(value => (value.Name, value.Value.GetString()!)));
    }

    [Fact]
    public void Read_CsvHeadingThatNeverEnds_NamesItsLine()
    {
        var path = folder.Write("t.csv", "\n\"prompt,completion\na,b\n");
        Assert.StartsWith($"{path}, line 2: the heading cannot be read: the file ends inside a quoted field",
            Assert.Throws<UserErrorException>(() => FileFormats.Open(path, new SourceOptions()).Read(null).Count()).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Read_CsvWithoutTheColumnsAskedFor_SaysWhichThereAre()
    {
        var path = folder.Write("t.csv", "a,b\n1,2\n");
        Assert.Contains("none of the columns asked for (c) is there; the file has a, b",
            Assert.Throws<UserErrorException>(() => FileFormats.Open(path, new SourceOptions { Columns = ["c"] }).Read(null)
                .Count()).Message, StringComparison.Ordinal);
        Assert.Equal("{\"b\":\"2\"}",
            Encoding.UTF8.GetString(FileFormats.Open(path, new SourceOptions { Columns = ["b"] }).Read(null).Single().Json.Span));
    }

    private static SourceRow Row(string json) => new(Encoding.UTF8.GetBytes(json), new RowPlace("t.jsonl", 7, IsLine: true), 6);

    private static string Text(SourceRow row)
    {
        using var document = row.Parse();
        return document.RootElement.GetProperty("text").GetString()!;
    }
}
