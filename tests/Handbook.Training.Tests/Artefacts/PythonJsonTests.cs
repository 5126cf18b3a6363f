using System.Text.Json.Nodes;
using CsCheck;
using Handbook.Training.Artefacts;

namespace Handbook.Training.Tests.Artefacts;

public sealed class PythonJsonTests
{
    // Expected texts: python3 -c "print(repr(x))" for each.
    [Theory]
    [InlineData(1.0, "1.0")]
    [InlineData(0.1, "0.1")]
    [InlineData(1e-05, "1e-05")]
    [InlineData(0.0001, "0.0001")]
    [InlineData(0.00012345, "0.00012345")]
    [InlineData(1.5e-07, "1.5e-07")]
    [InlineData(123456789.0, "123456789.0")]
    [InlineData(1234567890123456.0, "1234567890123456.0")]
    [InlineData(1e16, "1e+16")]
    [InlineData(2.3456e17, "2.3456e+17")]
    [InlineData(100.0, "100.0")]
    [InlineData(-2.5, "-2.5")]
    [InlineData(1e-300, "1e-300")]
    [InlineData(1.7976931348623157e308, "1.7976931348623157e+308")]
    [InlineData(9007199254740993.0, "9007199254740992.0")]
    [InlineData(0.30000000000000004, "0.30000000000000004")]
    [InlineData(-0.0, "-0.0")]
    [InlineData(1e-6, "1e-06")]
    [InlineData(1e-7, "1e-07")]
    [InlineData(123456.789e-10, "1.23456789e-05")]
    public void Repr_Double_IsPythons(double value, string expected) => Assert.Equal(expected, PythonJson.Repr(value));

    [Fact]
    public void Repr_AnyDouble_ReadsBackTheSame() =>
        Gen.Double.Where(double.IsFinite).Sample(value =>
            double.Parse(PythonJson.Repr(value), System.Globalization.CultureInfo.InvariantCulture).Equals(value));

    [Fact]
    public void Write_SortedIndented_IsPythons()
    {
        // json.dumps({"b": [1, 2.0, "é\n"], "a": {}, "c": [], "d": None, "e": True}, indent=2, sort_keys=True) + "\n"
        var node = new JsonObject
        {
            ["b"] = new JsonArray(1, 2.0, "é\n"),
            ["a"] = new JsonObject(),
            ["c"] = new JsonArray(),
            ["d"] = null,
            ["e"] = true,
        };
        const string Expected =
            "{\n  \"a\": {},\n  \"b\": [\n    1,\n    2.0,\n    \"\\u00e9\\n\"\n  ],\n  \"c\": [],\n  \"d\": null,\n  \"e\": true\n}\n";
        Assert.Equal(Expected, PythonJson.Write(node, indent: 2, sortKeys: true));
    }

    [Fact]
    public void Read_PythonsNonFiniteWords_AreNull()
    {
        var node = PythonJson.Read("""{"a": NaN, "b": [-Infinity, Infinity, 1], "NaN": "NaN \" Infinity"}""")!;
        Assert.Equal("""{"a": null, "b": [null, null, 1], "NaN": "NaN \" Infinity"}""", PythonJson.WriteLine(node));
    }
}
