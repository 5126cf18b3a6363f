using System.Text;
using Apache.Arrow;
using Apache.Arrow.Ipc;
using Apache.Arrow.Types;
using Handbook.Data.Sources;
using Handbook.TestSupport;

namespace Handbook.Data.Tests.Sources;

public sealed class ArrowRowFileTests : IDisposable
{
    private static readonly Dictionary<string, string> JsonExtension = new()
    {
        ["ARROW:extension:name"] = "arrow.json", ["ARROW:extension:metadata"] = "",
    };
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    public static TheoryData<string> CodeTypes() => [.. Codes.Keys];

    private static readonly Dictionary<string, (IArrowType Type, IArrowArray Codes)> Codes = new()
    {
        ["int8"] = (Int8Type.Default, new Int8Array.Builder().Append(1).Append(0).AppendNull().Build()),
        ["int16"] = (Int16Type.Default, new Int16Array.Builder().Append(1).Append(0).AppendNull().Build()),
        ["int32"] = (Int32Type.Default, new Int32Array.Builder().Append(1).Append(0).AppendNull().Build()),
        ["int64"] = (Int64Type.Default, new Int64Array.Builder().Append(1).Append(0).AppendNull().Build()),
        ["uint8"] = (UInt8Type.Default, new UInt8Array.Builder().Append(1).Append(0).AppendNull().Build()),
        ["uint16"] = (UInt16Type.Default, new UInt16Array.Builder().Append(1).Append(0).AppendNull().Build()),
        ["uint32"] = (UInt32Type.Default, new UInt32Array.Builder().Append(1).Append(0).AppendNull().Build()),
        ["uint64"] = (UInt64Type.Default, new UInt64Array.Builder().Append(1).Append(0).AppendNull().Build()),
    };

    [Theory]
    [MemberData(nameof(CodeTypes))]
    public void Read_DictionaryCodesOfAnyType_GivesTheirTexts(string name)
    {
        var (type, codes) = Codes[name];
        var words = new StringArray.Builder().Append("first").Append("second").Build();
        var coded = new DictionaryType(type, StringType.Default, false);
        Write(new Field("text", coded, true), new DictionaryArray(coded, codes, words));
        Assert.Equal(["{\"text\":\"second\"}", "{\"text\":\"first\"}", "{\"text\":null}"], Rows());
    }

    [Fact]
    public void Read_JsonColumns_AreUnfoldedWhereverTheyStand()
    {
        var texts = new StringArray.Builder().Append("{\"a\":[1,null]}").AppendNull().Append("no json").Append("NaN").Build();
        Write(new Field("j", StringType.Default, true, JsonExtension), texts);
        Assert.Equal(["{\"j\":{\"a\":[1,null]}}", "{\"j\":null}", "{\"j\":\"no json\"}", "{\"j\":\"NaN\"}"], Rows());
        Write(new Field("j", StringType.Default, true), texts);
        Assert.Equal("{\"j\":\"{\\\"a\\\":[1,null]}\"}", Rows()[0]);

        var item = new Field("item", StringType.Default, true, JsonExtension);
        var items = new StringArray.Builder().Append("1").Append("{\"b\":true}").Append("[]").Build();
        var list = new ListArray(new ListType(item), 2, new ArrowBuffer.Builder<int>().Append(0).Append(2).Append(3).Build(),
            items, ArrowBuffer.Empty);
        Write(new Field("l", new ListType(item), true), list);
        Assert.Equal(["{\"l\":[1,{\"b\":true}]}", "{\"l\":[[]]}"], Rows());

        var record = new StructType([new Field("k", StringType.Default, true, JsonExtension)]);
        Write(new Field("s", record, true), new StructArray(record, 3, [items], ArrowBuffer.Empty));
        Assert.Equal(["{\"s\":{\"k\":1}}", "{\"s\":{\"k\":{\"b\":true}}}", "{\"s\":{\"k\":[]}}"], Rows());
    }

    [Fact]
    public void Read_NumbersThatAreNotFinite_AreTexts()
    {
        Write(new Field("x", DoubleType.Default, true),
            new DoubleArray.Builder().Append(double.NaN).Append(double.NegativeInfinity).Append(0.5).Build());
        Assert.Equal(["{\"x\":\"NaN\"}", "{\"x\":\"-Infinity\"}", "{\"x\":0.5}"], Rows());
        Write(new Field("x", FloatType.Default, true), new FloatArray.Builder().Append(float.PositiveInfinity).Append(0.1f).Build());
        Assert.Equal(["{\"x\":\"Infinity\"}", "{\"x\":0.1}"], Rows());
    }

    [Fact]
    public void Read_ARowThatCannotBeRead_IsABadRowAmongOthers()
    {
        var coded = new DictionaryType(Int8Type.Default, StringType.Default, false);
        Write(new Field("text", coded, true),
            new DictionaryArray(coded, new Int8Array.Builder().Append(0).Append(77).Append(0).Build(),
                new StringArray.Builder().Append("a").Build()));
        var rows = new ArrowRowFile(folder.File("t.arrow"), new SourceOptions()).Read(null).ToList();
        Assert.StartsWith($"{folder.File("t.arrow")}, row 2: cannot be used: ",
            Assert.Throws<BadRowException>(() => rows[1].Parse()).Message, StringComparison.Ordinal);
        Assert.Equal("{\"text\":\"a\"}", Encoding.UTF8.GetString(rows[2].Json.Span));
    }

    private List<string> Rows() =>
    [
        .. new ArrowRowFile(folder.File("t.arrow"), new SourceOptions()).Read(null).Select(row => Encoding.UTF8.GetString(row.Json.Span)),
    ];

    private void Write(Field field, IArrowArray values)
    {
        var schema = new Schema([field], null);
        using var file = File.Create(folder.File("t.arrow"));
        using var writer = new ArrowStreamWriter(file, schema);
        writer.WriteRecordBatch(new RecordBatch(schema, [values], values.Length));
        writer.WriteEnd();
    }
}
