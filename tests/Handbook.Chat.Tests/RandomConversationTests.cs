using System.Text.Json.Nodes;
using CsCheck;
using Handbook.Templates;
using Handbook.TestSupport;

namespace Handbook.Chat.Tests;

/// <summary>Real templates over random conversations throw nothing but what is documented.</summary>
public sealed class RandomConversationTests
{
    private static readonly TemplateLimits Limits = new() { MaxSteps = 200_000, MaxTextLength = 1_000_000 };

    private static Gen<T> Pick<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static readonly Gen<string> Texts = Gen.OneOf(
        Gen.String[0, 20], Gen.Const("<think>\na\n</think>\n\nb"), Gen.Const("</think>"), Gen.Const(""),
        Gen.Const("<tool_response>x</tool_response>"),
        Gen.Const("\ud83d\ude00 \ud83d lone"), Gen.Const("/no_think"));

    private static readonly Gen<JsonObject?> Extras = Pick<string?>(
        null, null, """{"name":"f"}""",
        """{"tool_calls":[{"id":"123456789","type":"function","function":{"name":"f","arguments":{"a":[1,{"b":null}]}}}]}""",
        """{"tool_calls":[]}""", """{"tool_calls":[{"function":"x"}]}""", """{"reasoning_content":"why"}""",
        """{"content":[{"type":"text","text":"part"}]}""",
        """{"content":null,"tool_call_id":"123456789"}""", """{"tool_calls":5}""")
        .Select(json => json is null ? null : JsonNode.Parse(json)!.AsObject());

    private static readonly Gen<Message> Messages =
        from role in Pick("system", "user", "assistant", "tool", "developer", "ipython", "")
        from content in Texts
        from extra in Extras
        select new Message { Role = role, Content = extra?.ContainsKey("content") == true ? null : content, Extra = extra };

    [Fact]
    public void RenderAndFind_RandomConversations_ThrowOnlyDocumentedExceptions()
    {
        var templates = SharedFolders.GoldenFiles("chat_templates", "*.jsonl")
            .Select(path => JsonNode.Parse(File.ReadLines(path).First())!)
            .Select(header => new ChatTemplate(
                header["template_text"]?.GetValue<string>()
                    ?? File.ReadAllText(SharedFolders.Data("chat_templates", header["template_file"]!.GetValue<string>())),
                header["vars"]!.AsObject().ToDictionary(entry => entry.Key, entry => entry.Value!.GetValue<string>()), Limits))
            .ToArray();
        var cases = from template in Pick(templates)
                    from messages in Messages.Array[0, 6]
                    from prompt in Gen.Bool
                    select (template, messages, new ChatTemplateOptions { AddGenerationPrompt = prompt, Clock = GoldenTime.Instance });
        cases.Sample(
            input =>
            {
                try
                {
                    var rendered = input.template.Render(input.messages, input.Item3);
                    var spans = AssistantSpans.Find(input.template, input.messages, input.Item3, rendered);
                    Assert.All(spans, span => Assert.InRange(span.Range.End, span.Range.Start, rendered.Text.Length));
                }
                catch (Exception error) when (error is TemplateException or UserErrorException)
                {
                    Assert.NotEmpty(error.Message);
                }
            },
            seed: "0N0XIzNsQ0O2", iter: 2000, threads: 1);
    }
}
