using System.Text.Json.Nodes;
using Handbook.TestSupport;

namespace Handbook.Chat.Tests;

/// <summary>What a message may hold besides a text, and who may speak.</summary>
public sealed class MessageContentTests
{
    private const string KnowsTexts = "{% for m in messages %}{{ '<' + m.role + '>' + m.content }}{% endfor %}";
    private const string PrintsAnything = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}";
    private const string LeavesOut = "{% for m in messages %}<{{ m.role }}>{{ m.content if m.content is string else '' }}{% endfor %}";
    private const string KnowsParts =
        "{% for m in messages %}<{{ m.role }}>{% if m.content is string %}{{ m.content|trim }}{% else %}{% for p in m.content %}{{ "
        + "p.text|trim }}{% endfor %}{% endif %}{% endfor %}";
    private const string KnowsUsersParts =
        "{% for m in messages %}<{{ m.role }}>{% if m.role == 'user' and m.content is not string %}{% for p in m.content %}[{{ p.text "
        + "}}]{% endfor %}{% else %}{{ m.content + '' }}{% endif %}{% endfor %}";
    private const string WritesJson = "{% for m in messages %}<{{ m.role }}>{{ m.content|tojson }}{% endfor %}";

    private static Message Parts(string role, string json) =>
        new() { Role = role, Extra = new JsonObject { ["content"] = JsonNode.Parse(json) } };

    [Theory]
    [InlineData(KnowsTexts, "<user> one  two <assistant>three")]
    [InlineData(PrintsAnything, "<user> one  two <assistant>three")]
    [InlineData(LeavesOut, "<user> one  two <assistant>three")]
    [InlineData(KnowsParts, "<user>onetwo<assistant>three")]
    [InlineData(KnowsUsersParts, "<user>[ one ][ two ]<assistant>three")]
    [InlineData(WritesJson,
        """<user>[{"type": "text", "text": " one "}, {"type": "text", "text": " two "}]<assistant>[{"type": "text", "text": "three"}]""")]
    public void Render_ContentParts_ReachTheTemplateAsItKnowsThem(string template, string expected)
    {
        Message[] messages =
        [
            Parts("user", """[{"type":"text","text":" one "},{"type":"text","text":" two "}]"""),
            Parts("assistant", """[{"type":"text","text":"three"}]"""),
        ];
        Assert.Equal(expected, new ChatTemplate(template).Render(messages).Text);
        Assert.Equal(" one  two ", messages[0].Text);
    }

    [Theory]
    [InlineData("[]", "<user>")]
    [InlineData("""["a","b"]""", "<user>ab")]
    public void Render_OddParts_AreOneTextForATemplateOfTexts(string parts, string expected) =>
        Assert.Equal(expected, new ChatTemplate(LeavesOut).Render([Parts("user", parts)]).Text);

    [Fact]
    public void Render_RealNulls_AreNone()
    {
        var call = new Message
        {
            Role = "assistant", Extra = (JsonObject)JsonNode.Parse("""{"content":null,"tool_calls":[{"arguments":{"row":null}}]}""")!,
        };
        Assert.Equal("""True {"row": null}""",
            new ChatTemplate("{{ messages[0].content is none }} {{ messages[0].tool_calls[0].arguments|tojson }}").Render([call]).Text);
    }

    [Theory]
    [InlineData("{% for m in messages %}{{ m.role }}:{{ m.content }};{% endfor %}", "documents:d;user:q;assistant:a;")]
    [InlineData("{% for m in messages %}{% if m.role == 'documents' %}D{{ m.content }}{% else %}{{ m.role }}{% endif %}{% endfor %}",
        "Dduserassistant")]
    public void Tokenize_ARoleThatTheTemplateKnows_Passes(string template, string expected)
    {
        var conversations = new ConversationTokenizer(CharacterTokenizer.Load(CharacterTokenizer.Json()), template);
        Assert.Equal(expected,
            conversations.Tokenize([new Message { Role = "documents", Content = "d" }, new Message { Role = "user", Content = "q" },
                new Message { Role = "assistant", Content = "a" }]).Text);
    }

    [Fact]
    public void Tokenize_ARoleThatTheTemplateLeavesOut_IsRefused()
    {
        var conversations = new ConversationTokenizer(
            CharacterTokenizer.Load(CharacterTokenizer.Json()),
            "{% for m in messages %}{% if m.role == 'user' %}{{ m.content }}{% endif %}{% endfor %}");
        var error = Assert.Throws<UserErrorException>(() => conversations.Tokenize([new Message { Role = "critic", Content = "words" }]));
        Assert.StartsWith("message 1 has the role critic, for which the chat template writes nothing; expected system,",
            error.Message, StringComparison.Ordinal);
    }

    /// <summary>
    /// Gemma's "model": the usual name for templates that print any role, its own for those that mention it; labels either way.
    /// </summary>
    [Theory]
    [InlineData("{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}",
        "<user>q\n<assistant>a\n")]
    [InlineData(
        "{% for m in messages %}<{{ 'M' if m.role == 'model' else m.role }}>{{ m.content "
        + "}}\n{% endfor %}{% if add_generation_prompt %}<M>{% endif %}", "<user>q\n<M>a\n")]
    public void Tokenize_ModelForAssistant_IsLabelledAndWrittenAsTheTemplateKnowsIt(string template, string expected)
    {
        var conversations = new ConversationTokenizer(
            CharacterTokenizer.Load(CharacterTokenizer.Json()), template, new ConversationOptions { Labels = LabelScope.AssistantTurns });
        var tokens = conversations.Tokenize([new Message { Role = "user", Content = "q" },
            new Message { Role = "assistant", GivenRole = "model", Content = "a" }]);
        Assert.Equal(expected, tokens.Text);
        Assert.Equal("a\n",
            string.Concat(tokens.Offsets.Where((_, i) => tokens.LossMask[i]).Select(range => tokens.Text[range.Start..range.End])));
    }
}
