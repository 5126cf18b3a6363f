using System.Text.Json.Nodes;
using Handbook.Data.Examples;
using Handbook.Data.Sources;
using Handbook.TestSupport;

namespace Handbook.Data.Tests.Examples;

/// <summary>Messages as data sets write them: what is real reaches the template, what a file format added does not.</summary>
public sealed class MessageFormsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    private Example Read(string row, string name = "data.jsonl")
    {
        var path = folder.Write(name, row);
        var source = RowSource.Open(new DatasetRequest(path), [new LocalDatasetResolver("/")], new SourceOptions());
        return ExampleReader.Recognize(source).Read(source.Read().Single());
    }

    private const string Call =
        """{"messages":[{"role":"user","content":"q"},"""
        + """{"role":"assistant","content":null,"tool_calls":[{"function":{"arguments":{"row":null,"seats":[null,"""
        + """1]}}}],"name":null}],"tools":[{"default":null}]}""";

    [Theory]
    [InlineData("data.jsonl", Call)]
    [InlineData("data.json", "[" + Call + "]")]
    public void Read_NullsOfJson_AreReal(string name, string content)
    {
        var example = Read(content, name);
        Assert.Equal("""[{"default":null}]""", example.Tools!.ToJsonString());
        Assert.Equal("""{"content":null,"tool_calls":[{"function":{"arguments":{"row":null,"seats":[null,1]}}}],"name":null}""",
            ((ConversationExample)example).Messages[1].Extra!.ToJsonString());
    }

    [Fact]
    public void Read_NullsThatAColumnarFileFillsUpWith_AreNothing()
    {
        using var document = System.Text.Json.JsonDocument.Parse(Call);
        var example = new ExampleReader(ExampleShape.Conversation, new SourceOptions())
            .Read(document.RootElement, new RowPlace("data.parquet", 1, IsLine: false));
        Assert.Equal("[{}]", example.Tools!.ToJsonString());
        Assert.Equal("""{"tool_calls":[{"function":{"arguments":{"seats":[null,1]}}}]}""",
            ((ConversationExample)example).Messages[1].Extra!.ToJsonString());
    }

    [Theory]
    [InlineData("""[{"city":"Oslo"}]""")]
    [InlineData("""[{"role":"cook"}]""")]
    [InlineData("""[{"role":7,"from":"cook","value":"soup"}]""")]
    [InlineData("""[{"role":"cook","content":"soup"},{"role":"waiter","content":"plates"}]""")]
    [InlineData("""[{"from":"Oslo","to":"Rome"}]""")]
    [InlineData("""[{"role":"user","content":"q"},{"city":"Oslo"}]""")]
    [InlineData("""[{"role":7,"content":"q"}]""")]
    [InlineData("[{'city': 'Oslo'}]")]
    [InlineData("[{")]
    [InlineData("[]")]
    [InlineData("[1, 2]")]
    [InlineData("""{"role":"assistant","content":"q"}""")]
    public void Read_AnAnswerThatIsAList_IsAText(string answer)
    {
        var row = new JsonObject { ["prompt"] = "p", ["completion"] = answer };
        Assert.Equal(answer, ((CompletionExample)Read(row.ToJsonString())).Completion.Text);
    }

    [Theory]
    [InlineData("""[{"role":"assistant","content":"q"}]""")]
    [InlineData("""[{"from":"gpt","value":"q"}]""")]
    [InlineData("""[{"role":"assistant","content":"q"}]  """)]
    [InlineData(""" [ {"role":"assistant","tool_calls":[{"id":"1"}]} ]""")]
    public void Read_AListOfMessagesInAText_IsMessages(string answer)
    {
        var row = new JsonObject { ["prompt"] = """[{"role":"user","content":"p"}]""", ["completion"] = answer };
        Assert.Equal("assistant", ((CompletionExample)Read(row.ToJsonString())).Completion.Messages!.Single().Role);
    }

    [Theory]
    [InlineData("""{"role":"documents","content":"d"}""", "documents", null)]
    [InlineData("""{"role":"tools","content":"d"}""", "tools", null)]
    [InlineData("""{"role":"model","content":"d"}""", "assistant", "model")]
    [InlineData("""{"from":"gpt","value":"d"}""", "assistant", null)]
    [InlineData("""{"from":"critic","value":"d"}""", "critic", null)]
    [InlineData("""{"role":"User","content":"d"}""", "user", "User")]
    public void Read_Roles_PassAndKeepTheirNames(string message, string role, string? given)
    {
        var read = ((ConversationExample)Read($$"""{"messages":[{{message}}]}""")).Messages[0];
        Assert.Equal((role, given), (read.Role, read.GivenRole));
    }

    [Theory]
    [InlineData("asistant", "assistant")]
    [InlineData("sytem", "system")]
    [InlineData("tol", "tool")]
    public void Read_ASlipInARole_IsRefusedWithWhatWasMeant(string role, string meant)
    {
        var error = Assert.Throws<BadRowException>(() => Read($$"""{"messages":[{"role":"{{role}}","content":"d"}]}"""));
        Assert.EndsWith($"Did you mean {meant}?", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_ContentParts_StayParts()
    {
        var read = ((ConversationExample)Read(
            """{"messages":[{"role":"user","content":[{"type":"text","text":" a "},{"type":"text","value":"b"}]}]}""")).Messages[0];
        Assert.Equal("""{"content":[{"type":"text","text":" a "},{"type":"text","value":"b","text":"b"}]}""", read.Extra!.ToJsonString());
        Assert.Equal((null, " a b"), (read.Content, read.Text));
    }

    [Theory]
    [InlineData("image_url", "an image")]
    [InlineData("input_audio", "audio")]
    [InlineData("video", "a video")]
    public void Read_APartThatIsNoText_IsRefused(string type, string words)
    {
        var error = Assert.Throws<BadRowException>(() => Read($$"""{"messages":[{"role":"user","content":[{"type":"{{type}}"}]}]}"""));
        Assert.EndsWith($"message 1 holds {words}; only text is trained", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"role":"user","content":null}""")]
    [InlineData("""{"role":"assistant","content":null,"tool_calls":null}""")]
    [InlineData("""{"role":"assistant"}""")]
    public void Read_NothingSaid_IsRefused(string message)
    {
        var error = Assert.Throws<BadRowException>(() => Read($$"""{"messages":[{{message}}]}"""));
        Assert.EndsWith("message 1 has no content", error.Message, StringComparison.Ordinal);
    }
}
