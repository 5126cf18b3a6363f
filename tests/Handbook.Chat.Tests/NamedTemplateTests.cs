using System.Text.Json.Nodes;
using Handbook.TestSupport;
using Handbook.Tokenizers;

namespace Handbook.Chat.Tests;

/// <summary>Several chat templates in one tokenizer, chosen as transformers' <c>get_chat_template</c> chooses.</summary>
public sealed class NamedTemplateTests
{
    private const string Both =
        """[{"name":"default","template":"D{% for m in messages %}{{ m.content }}{% endfor %}"},"""
        + """{"name":"tool_use","template":"T{{ tools|length }}{% for m in messages %}{{ m.content }}{% endfor %}"}]""";
    private const string OnlyTools =
        """[{"name":"tool_use","template":"T{% for m in messages %}{{ m.content }}{% endfor %}"},{"name":"rag","template":"R"}]""";

    private static readonly Message[] Hello = [new Message { Role = "user", Content = "x" }];

    private static Tokenizer Make(string templates) =>
        CharacterTokenizer.Load(CharacterTokenizer.Json(), $$"""{"chat_template":{{templates}}}""");

    [Theory]
    [InlineData(null, "Dx")]
    [InlineData("[]", "T0x")]
    [InlineData("""[{"name":"f"}]""", "T1x")]
    public void Render_ToolsChooseTheTemplate(string? tools, string expected)
    {
        var conversations = new ConversationTokenizer(Make(Both));
        var list = tools is null ? null : JsonNode.Parse(tools)!.AsArray();
        Assert.Equal(expected, conversations.Render(Hello, list).Text);
        Assert.Equal(expected, conversations.Tokenize(Hello, list).Text);
        var pair = conversations.Pairs.Tokenize(Hello, [new Message { Role = "assistant", Content = "y" }], list);
        Assert.Equal(expected + "y", conversations.Tokenizer.Decode([.. pair.Prompt, .. pair.Completion], skipSpecialTokens: false));
    }

    [Theory]
    [InlineData("chatml",
        "chat_template: \"chatml\" is no template, since nothing in it writes a message, and "
        + "the tokenizer has none of that name, only rag, tool_use.")]
    [InlineData("rga",
        "chat_template: \"rga\" is no template, since nothing in it writes a message, and the "
        + "tokenizer has none of that name, only rag, tool_use. Did you mean rag?")]
    public void Given_NeitherATemplateNorAName_IsRefused(string given, string expected) =>
        Assert.Equal(expected, Assert.Throws<UserErrorException>(() => new ChatTemplates(Make(OnlyTools).Settings, given)).Message);

    [Fact]
    public void Render_NoDefault_NamesWhatThereIs()
    {
        var conversations = new ConversationTokenizer(Make(OnlyTools));
        Assert.Equal("Tx", conversations.Render(Hello, []).Text);
        var error = Assert.Throws<UserErrorException>(() => conversations.Render(Hello));
        Assert.Equal(
            "the tokenizer has several chat templates (rag, tool_use) and none called default; "
                + "set chat_template to one of these names or to a template.", error.Message);
    }

    [Theory]
    [InlineData("rag", "R")]
    [InlineData("tool_use", "Tx")]
    [InlineData("own {{ messages|length }}", "own 1")]
    public void Render_GivenTemplate_IsUsedWithAndWithoutTools(string given, string expected)
    {
        var conversations = new ConversationTokenizer(Make(OnlyTools), given);
        Assert.Equal(expected, conversations.Render(Hello).Text);
        Assert.Equal(expected, conversations.Render(Hello, []).Text);
    }

    [Fact]
    public void Render_NameOfTheDefault_IsTheDefault() =>
        Assert.Equal("Dx", new ConversationTokenizer(Make(Both), "default").Render(Hello, []).Text);

    [Fact]
    public void Render_ExtraSpecialTokens_HaveTheirNames() => Assert.Equal("<img>", new ConversationTokenizer(
        CharacterTokenizer.Load(CharacterTokenizer.Json(), """{"extra_special_tokens":{"image_token":"<img>"}}"""), "{{ image_token }}")
        .Render(Hello).Text);
}
