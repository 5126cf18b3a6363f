using System.Text.Json;
using System.Text.Json.Nodes;

namespace Handbook.Foundation.Tests;

public sealed class BrokenJsonTests
{
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 4, AllowDuplicateProperties = false };

    [Theory]
    [InlineData("", "line 1, column 1: there is nothing but blanks")]
    [InlineData("{\n  \"a\": ", "line 2, column 8: the text ends inside an object or a list")]
    [InlineData("{\"a\"", "line 1, column 5: the text ends where a value is expected")]
    [InlineData("{\"a\":\"x", "line 1, column 8: the text ends inside quotes")]
    [InlineData("{\"a\":1.", "line 1, column 8: the text ends inside a number")]
    [InlineData("{\"a\":1,\n}", "line 2, column 1: nothing follows the comma before '}'")]
    [InlineData("[1,]", "line 1, column 4: nothing follows the comma before ']'")]
    [InlineData("{\"a\":[{\"b\":1,\"b\":2}]}", "the key 'b' is given twice in one object")]
    [InlineData("{a:1}", "line 1, column 2: 'a' is an invalid start of a property name; expected a '\"'")]
    [InlineData("{\"a\" 1}", "line 1, column 6: '1' is invalid after a property name; expected a ':'")]
    [InlineData("{\"a\":tru}", "line 1, column 9: 'tru}' is no value; expected 'true'")]
    [InlineData("{\"a\":01}", "line 1, column 7: a number begins with a zero that means nothing")]
    [InlineData("{\"a\":12x}", "line 1, column 8: 'x' stands inside a number")]
    [InlineData("{\"a\":1.x}",
        "line 1, column 8: 'x' is invalid within a number, immediately after a decimal point ('.'); expected a digit ('0'-'9')")]
    [InlineData("{\"a\":\"\ty\"}", "line 1, column 7: a tab stands between quotes, where it must be escaped")]
    [InlineData("{\"a\":\"\\x\"}", "line 1, column 8: 'x' follows a backslash, where it means nothing")]
    [InlineData("{\"a\":\"\\u12\"}", "line 1, column 11: '\"' follows \\u, where four hexadecimal digits are expected")]
    [InlineData("{} x", "line 1, column 4: 'x' follows the end of the document")]
    [InlineData("{\"a\":1]", "line 1, column 7: ']' closes what was not opened")]
    [InlineData("[[[[[1]]]]]", "line 1, column 5: objects and lists are nested too deep")]
    [InlineData("{\"a\":NaN}", "line 1, column 6: 'N' is an invalid start of a value")]
    [InlineData("{\"a\":1 \"b\":2}", "line 1, column 8: '\"' is invalid after a value; expected ',', '}', or ']'")]
    public void Explain_NoJson_SaysWhereAndWhatInAPersonsWords(string json, string expected)
    {
        var error = Assert.ThrowsAny<JsonException>(() => JsonNode.Parse(json, documentOptions: Strict));
        Assert.True(BrokenJson.Caused(error));
        Assert.Equal(expected, BrokenJson.Explain(error));
    }

    [Fact]
    public void Explain_JsonOfAnotherForm_SaysNothingOfNodesAndReferences()
    {
        var json = JsonNode.Parse("""{"a":1.5,"b":"\ud800"}""")!;
        const string OtherForm = "a key is missing or has a value of another kind";
        Assert.Equal(OtherForm, BrokenJson.Explain(Assert.Throws<InvalidOperationException>(() => json["a"]!.AsArray())));
        Assert.Equal(OtherForm, BrokenJson.Explain(Assert.ThrowsAny<Exception>(() => json["a"]!.GetValue<int>())));
        Assert.Equal(OtherForm, BrokenJson.Explain(Assert.Throws<NullReferenceException>(() => json["c"]!.AsArray())));
        Assert.Equal("it holds a text that is no valid Unicode (half a surrogate pair)",
            BrokenJson.Explain(Assert.Throws<InvalidOperationException>(() => json["b"]!.GetValue<string>())));
        Assert.Equal("it has no step", BrokenJson.Explain(new FormatException("it has no step")));
    }
}
