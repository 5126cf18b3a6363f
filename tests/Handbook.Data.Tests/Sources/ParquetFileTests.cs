using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using DuckDB.NET.Data;
using Handbook.Data.Sources;
using Handbook.TestSupport;

namespace Handbook.Data.Tests.Sources;

public sealed class ParquetFileTests : IDisposable
{
    private const string Columns =
        "{id: 'BIGINT', name: 'VARCHAR', flag: 'BOOLEAN', x: 'DOUBLE', f: 'FLOAT', "
        + "small: 'INTEGER', tags: 'VARCHAR[]', deep: 'INTEGER[][][]', "
        + "points: 'STRUCT(a INTEGER, b VARCHAR, c VARCHAR[])[]', one: 'STRUCT(k STRUCT(z VARCHAR), l INTEGER)'}";

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>Every codec, both generations of encodings, one and several row groups, with and without a dictionary.</summary>
    [Theory]
    [InlineData("uncompressed", "V1", 100_000, 0.0)]
    [InlineData("snappy", "V1", 100_000, 1.0)]
    [InlineData("gzip", "V1", 2048, 1.0)]
    [InlineData("zstd", "V1", 100_000, 0.3)]
    [InlineData("brotli", "V1", 100_000, 1.0)]
    [InlineData("lz4_raw", "V1", 100_000, 0.0)]
    [InlineData("zstd", "V2", 100_000, 1.0)]
    [InlineData("snappy", "V2", 2048, 0.0)]
    [InlineData("uncompressed", "V2", 100_000, 0.5)]
    public void Read_WhatDuckDbWrote_GivesTheSameRows(string codec, string version, int rowGroup, double distinct)
    {
        var random = new System.Random(HashCode(codec) + rowGroup);
        var rows = Enumerable.Range(0, 5000).Select(i => Row(random, i, distinct)).ToList();
        File.WriteAllLines(folder.File("rows.tmp"), rows.Select(row => row.ToJsonString()));
        Sql($"COPY (SELECT * FROM read_json('{folder.File("rows.tmp")}', format='newline_delimited', columns={Columns})) TO "
            + $"'{folder.File("t.parquet")}' (FORMAT parquet, COMPRESSION {codec}, PARQUET_VERSION {version}, ROW_GROUP_SIZE {rowGroup})");
        var file = new ParquetFile(folder.File("t.parquet"), new SourceOptions());
        Assert.Equal(rows.Count, file.Count());
        var read = file.Read(null).ToList();
        Assert.Equal(rows.Count, read.Count);
        for (var i = 0; i < rows.Count; i++)
            Assert.True(JsonNode.DeepEquals(rows[i], JsonNode.Parse(read[i].Json.Span)),
                $"row {i}: {rows[i].ToJsonString()} became {Encoding.UTF8.GetString(read[i].Json.Span)}");
        // Rows that are passed over, across row groups too.
        var wanted = Enumerable.Range(0, 5000).Where(i => i % 1237 == 5 || i > 4995).Select(i => (long)i).ToList();
        var some = file.Read(index => wanted.Contains(index)).ToList();
        Assert.Equal(wanted, some.Select(row => row.Index));
        Assert.All(some, row => Assert.True(row.Json.Span.SequenceEqual(read[(int)row.Index].Json.Span)));
        var kept = new ParquetFile(folder.File("t.parquet"), new SourceOptions { Columns = ["points", "id"] }).Read(null).Skip(4321)
            .First();
        Assert.Equal(["id", "points"], JsonNode.Parse(kept.Json.Span)!.AsObject().Select(column => column.Key));
        Assert.True(JsonNode.DeepEquals(rows[4321]["points"], JsonNode.Parse(kept.Json.Span)!["points"]));
    }

    [Fact]
    public void Read_TypesThatJsonDoesNotHave_AreNumbersAndTexts()
    {
        Sql($"""
            COPY (SELECT 12345678901234567890::UBIGINT AS u, 4000000000::UINTEGER AS ui, -1.50::DECIMAL(10,2) AS d, 
            12345678901234567890.123::DECIMAL(30,3) AS big, DATE '2024-01-02' AS day, DATE '1969-12-31' AS before,
            TIMESTAMP '2024-01-02 03:04:05.5' AS ts, TIMESTAMP '1969-12-31 23:59:59' AS old, TIME '01:02:03' AS tm,
            '\xAA\x00z'::BLOB AS b, 'caf\xC3\xA9'::BLOB AS c, MAP (['k', 'l'], [1, NULL]) AS m,
            '33d6fcfc-f397-45b3-b11d-fb742ea7a44a'::UUID AS id, 'x'::ENUM('x', 'y') AS e, '{json("[1,{\"a\":null}]")}'::JSON AS j,
            'NaN'::DOUBLE AS n, '-inf'::FLOAT AS i, 0.1::FLOAT AS f, 1e22::DOUBLE AS l, NULL::VARCHAR AS nothing,
            []::INTEGER[] AS none) TO '{folder.File("t.parquet")}'
            """);
        var row = Encoding.UTF8.GetString(new ParquetFile(folder.File("t.parquet"), new SourceOptions()).Read(null).Single().Json.Span);
        Assert.Equal(string.Concat("""
            {"u":12345678901234567890,"ui":4000000000,"d":-1.50,"big":12345678901234567890.123,
            "day":"2024-01-02","before":"1969-12-31","ts":"2024-01-02 03:04:05.5","old":"1969-12-31 23:59:59","tm":"01:02:03",
            "b":"\\xAA\\x00z","c":"café","m":{"k":1,"l":null},"id":"33d6fcfc-f397-45b3-b11d-fb742ea7a44a","e":"x",
            "j":[1,{"a":null}],"n":"NaN","i":"-Infinity","f":0.1,"l":1E+22,"nothing":null,"none":[]}
            """.Split('\n')), row);

        static string json(string text) => text.Replace("'", "''", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("t", "T")]
    [InlineData("text", "Text")]
    [InlineData("row", "rowid")]
    [InlineData("a \"b\"\\n", "a")]
    public void Read_ColumnNamesOfAnyKind_StayApart(string first, string second)
    {
        File.WriteAllBytes(folder.File("t.parquet"), new ParquetBuilder().Field(first, 6, 0, converted: 0).Field(second, 6, 0, converted: 0)
            .Column(6, 2, 0, ParquetBuilder.Texts("1", "2")).Column(6, 2, 0, ParquetBuilder.Texts("one", "two")).Build(2, 2));
        var row = JsonNode.Parse(new ParquetFile(folder.File("t.parquet"), new SourceOptions()).Read(null).Last().Json.Span)!;
        Assert.Equal(("2", "two"), ((string?)row[first], (string?)row[second]));
    }

    /// <summary>Lists of before the standard: repeated fields without a list around them, two levels, fields of a repeated group.</summary>
    [Fact]
    public void Read_ListsOfOldWriters_AreLists()
    {
        var levels = (Repetitions: ParquetBuilder.Levels(0, 1, 0), Definitions: ParquetBuilder.Levels(1, 1, 0));
        File.WriteAllBytes(folder.File("bare.parquet"), new ParquetBuilder().Field("a", 6, 2, converted: 0)
            .Column(6, 3, 0, ParquetBuilder.Texts("x", "y"), levels.Repetitions, levels.Definitions).Build(1, 2));
        Assert.Equal(["{\"a\":[\"x\",\"y\"]}", "{\"a\":[]}"], Rows("bare.parquet"));
        File.WriteAllBytes(folder.File("two.parquet"),
            new ParquetBuilder().Field("a", null, 0, 1, converted: 3).Field("array", 6, 2, converted: 0)
            .Column(6, 3, 0, ParquetBuilder.Texts("x", "y"), levels.Repetitions, levels.Definitions).Build(1, 2));
        Assert.Equal(["{\"a\":[\"x\",\"y\"]}", "{\"a\":[]}"], Rows("two.parquet"));
        File.WriteAllBytes(folder.File("group.parquet"),
            new ParquetBuilder().Field("a", null, 0, 1, converted: 3).Field("a_tuple", null, 2, 1).Field("k", 6, 0, converted: 0)
            .Column(6, 3, 0, ParquetBuilder.Texts("x", "y"), levels.Repetitions, levels.Definitions).Build(1, 2));
        Assert.Equal(["{\"a\":[{\"k\":\"x\"},{\"k\":\"y\"}]}", "{\"a\":[]}"], Rows("group.parquet"));
    }

    [Fact]
    public void Read_PagesOfTheSecondForm_GiveTheirValues()
    {
        File.WriteAllBytes(folder.File("t.parquet"), new ParquetBuilder().Field("a", 6, 1, converted: 0)
            .Column(6, 3, 0, ParquetBuilder.Texts("x", "y"), definitions: ParquetBuilder.Levels(1, 0, 1), second: true).Build(1, 3));
        Assert.Equal(["{\"a\":\"x\"}", "{\"a\":null}", "{\"a\":\"y\"}"], Rows("t.parquet"));
    }

    [Fact]
    public void Read_TextsBehindTheirLengths_GivesThem()
    {
        // Blocks of 128 in four parts; four lengths from 5 on, with differences of one bit.
        byte[] lengths = [0x80, 0x01, 0x04, 0x04, 0x0A, 0x00, 0x01, 0x00, 0x00, 0x00, .. Packed(1, 0, 1, 0)];
        File.WriteAllBytes(folder.File("t.parquet"),
            new ParquetBuilder().Field("a", 6, 0, converted: 0).Column(6, 4, 6, [.. lengths, .. "HelloWorldFoobarABCDEF"u8]).Build(1, 4));
        Assert.Equal(["Hello", "World", "Foobar", "ABCDEF"], Rows("t.parquet").Select(row => (string)JsonNode.Parse(row)!["a"]!));
    }

    [Fact]
    public void Read_TextsThatShareBeginnings_GivesThem()
    {
        // Prefixes 0 2 0 3 and suffixes 4 2 6 5: differences 2 -2 3 and -2 4 -1, packed above the smallest in three bits.
        byte[] prefixes = [0x80, 0x01, 0x04, 0x04, 0x00, 0x03, 0x03, 0x00, 0x00, 0x00, .. Packed(3, 4, 0, 5)];
        byte[] suffixes = [0x80, 0x01, 0x04, 0x04, 0x08, 0x03, 0x03, 0x00, 0x00, 0x00, .. Packed(3, 0, 6, 1)];
        File.WriteAllBytes(folder.File("t.parquet"),
            new ParquetBuilder().Field("a", 6, 0, converted: 0).Column(6, 4, 7, [.. prefixes, .. suffixes, .. "axislebabbleyhood"u8])
                .Build(1, 4));
        Assert.Equal(["axis", "axle", "babble", "babyhood"], Rows("t.parquet").Select(row => (string)JsonNode.Parse(row)!["a"]!));
    }

    [Fact]
    public void Read_TextThatIsNotUtf8_IsABadRowAmongOthers()
    {
        byte[] values = [.. ParquetBuilder.Texts("good"), 1, 0, 0, 0, 0xFF, .. ParquetBuilder.Texts("too")];
        File.WriteAllBytes(folder.File("t.parquet"),
            new ParquetBuilder().Field("text", 6, 0, converted: 0).Column(6, 3, 0, values).Build(1, 3));
        var rows = new ParquetFile(folder.File("t.parquet"), new SourceOptions()).Read(null).ToList();
        Assert.Equal($"{folder.File("t.parquet")}, row 2: column \"text\": invalid UTF-8: byte 0xFF at column 1",
            Assert.Throws<BadRowException>(() => rows[1].Parse()).Message);
        Assert.Equal("{\"text\":\"too\"}", Encoding.UTF8.GetString(rows[2].Json.Span));
    }

    [Theory]
    [InlineData(3, "its columns do not hold the same rows")]
    [InlineData(1_000_000, "its columns do not hold the same rows")]
    public void Read_FewerValuesThanRows_SaysSo(long rows, string problem)
    {
        File.WriteAllBytes(folder.File("t.parquet"),
            new ParquetBuilder().Field("text", 6, 0, converted: 0).Column(6, 2, 0, ParquetBuilder.Texts("a", "b")).Build(1, rows));
        Assert.Equal($"{folder.File("t.parquet")}: cannot be read: {problem}",
            Assert.Throws<UserErrorException>(() => Rows("t.parquet")).Message);
    }

    [Theory]
    [InlineData("", "it ends early")]
    [InlineData("PAR1 but nothing else", "it does not end as a Parquet file does (PAR1)")]
    [InlineData("PAR1\u00ff\u00ff\u00ff\u007fPAR1", "more than can be")]
    [InlineData("PAR1\u0004\0\0\0PARE", "it is encrypted")]
    public void Count_WhatIsNoParquet_SaysSo(string content, string problem)
    {
        File.WriteAllBytes(folder.File("t.parquet"), Encoding.Latin1.GetBytes(content));
        Assert.Contains(problem,
            Assert.Throws<UserErrorException>(() => new ParquetFile(folder.File("t.parquet"), new SourceOptions()).Count()).Message,
            StringComparison.Ordinal);
    }

    /// <summary>
    /// Documents as long as people have them, wide tables and deep ones take the memory of a page, whatever the number of rows.
    /// </summary>
    [Theory]
    [InlineData("SELECT i, repeat(md5(i::VARCHAR), 512) AS text FROM range(3000) t(i)", 3000)]
    [InlineData("SELECT i, repeat(md5(i::VARCHAR), 32768) AS text FROM range(30) t(i)", 30)]
    public void Read_LongDocuments_GivesThemWhole(string select, int rows)
    {
        Sql($"COPY ({select}) TO '{folder.File("t.parquet")}'");
        var count = 0;
        foreach (var row in new ParquetFile(folder.File("t.parquet"), new SourceOptions()).Read(null))
        {
            using var document = row.Parse();
            Assert.Equal(count++, document.RootElement.GetProperty("i").GetInt32());
            Assert.Equal(0, document.RootElement.GetProperty("text").GetString()!.Length % 16384);
        }
        Assert.Equal(rows, count);
    }

    [Fact]
    public void Read_AThousandColumns_GivesThem()
    {
        Sql($"COPY (SELECT {string.Join(", ", Enumerable.Range(0, 1000).Select(i => $"(i * {i})::VARCHAR AS c{i}"))} FROM range(500) "
            + $"t(i)) TO '{folder.File("t.parquet")}'");
        var rows = new ParquetFile(folder.File("t.parquet"), new SourceOptions()).Read(null).ToList();
        Assert.Equal(500, rows.Count);
        using var document = rows[77].Parse();
        Assert.Equal(Enumerable.Range(0, 1000).Select(i => $"{77 * i}"),
            document.RootElement.EnumerateObject().Select(column => column.Value.GetString()));
    }

    [Fact]
    public void Read_HundredNestedLists_GivesThem()
    {
        Sql($"COPY (SELECT {new string('[', 100)}i{new string(']', 100)} AS deep, 'x' AS "
            + $"text FROM range(200) t(i)) TO '{folder.File("t.parquet")}'");
        var rows = new ParquetFile(folder.File("t.parquet"), new SourceOptions()).Read(null).ToList();
        using var document = rows[199].Parse();
        Assert.Equal($"{new string('[', 100)}199{new string(']', 100)}", document.RootElement.GetProperty("deep").GetRawText());
    }

    private List<string> Rows(string name) =>
    [
        .. new ParquetFile(folder.File(name), new SourceOptions()).Read(null).Select(row => Encoding.UTF8.GetString(row.Json.Span)),
    ];

    private static byte[] Packed(int width, params int[] values)
    {
        var bits = values.Select((value, i) => (long)value << (i * width)).Aggregate((a, b) => a | b);
        return BitConverter.GetBytes(bits)[..4].Concat(new byte[width * 4]).Take(width * 4).ToArray();
    }

    private static int HashCode(string text) => text.Sum(c => c * 31);

    private static JsonObject Row(System.Random random, int i, double distinct)
    {
        return new JsonObject
        {
            ["id"] = i * 1_000_003L,
            ["name"] = Text(),
            ["flag"] = random.Next(3) switch { 0 => null, 1 => true, _ => false },
            ["x"] = random.Next(4) == 0 ? null : Math.Round(random.NextDouble() * 1000, 3) + 0.0005,
            ["f"] = random.Next(4) == 0 ? null : random.Next(100) + 0.5,
            ["small"] = random.Next(4) == 0 ? null : random.Next(-5, 1000),
            ["tags"] = List(4, Text),
            ["deep"] = List(3, () => List(3, () => List(3, () => random.Next(5) == 0 ? null : (JsonNode)random.Next(100)))),
            ["points"] = List(5,
                () => random.Next(6) == 0
                    ? null : new JsonObject { ["a"] = random.Next(3) == 0 ? null : random.Next(9), ["b"] = Text(), ["c"] = List(3, Text) }),
            ["one"] = random.Next(4) == 0
                ? null : new JsonObject { ["k"] = random.Next(3) == 0 ? null : new JsonObject { ["z"] = Text() }, ["l"] = random.Next(9) },
        };

        JsonNode? Text() =>
            random.Next(5) == 0 ? null
                : random.NextDouble() < distinct ? $"text {random.Next()} \u00e9\U0001F600 \"q\"\n" : $"word {random.Next(7)}";

        JsonNode? List(int most, Func<JsonNode?> item) =>
            random.Next(5) == 0 ? null : new JsonArray([.. Enumerable.Range(0, random.Next(most)).Select(_ => item())]);
    }

    private static void Sql(string text)
    {
        using var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100
        command.CommandText = text;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }
}
