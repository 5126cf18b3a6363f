using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Handbook.Templates;
using Handbook.TestSupport;

namespace Handbook.Chat.Tests;

/// <summary>
/// Random conversations through templates of every kind: tokens or the documented exceptions, and one label a token. Seeded; some
/// hundreds here, and for as long as <c>HANDBOOK_FUZZ_SECONDS</c> says when it is set.
/// </summary>
public sealed class ConversationFuzzTests
{
    private static readonly string[] Roles = ["system", "user", "assistant", "tool", "documents", "", "model", "\uD800", "Assistant"];

    private static readonly string[] Words =
    [
        "", " ", "a", "a b\n", "<s>", "{{ x }}", "\u00E9\U0001F600", "\uD83D", "\uFDD0", "\uE0A2", "'\"\\", "</s>assistant",
    ];

    private static readonly string[] Templates =
    [
        ChatTemplate.ChatMl,
        "{% for m in messages %}<{{ m.role }}>{{ m.content }}{{ eos_token }}{% endfor "
            + "%}{% if add_generation_prompt %}<assistant>{% endif %}",
        "{% macro one(m) %}{% if m.role == 'assistant' %}A:{% generation %}{{ m.content }}{% endgeneration %}{% else %}U:{{ m.content "
            + "}}{% endif %}\n{% endmacro %}{% for m in messages %}{{ one(m) }}{% endfor %}",
        "{% for m in messages %}{% if m.role == 'user' %}{{ m.content|trim }}{% elif m.role == 'assistant' %}{% generation %}{{ m.content "
            + "}}{% endgeneration %}{% endif %}{% endfor %}",
        "{% for m in messages %}{% if m.content is string %}{{ m.role + m.content }}{% else %}{% for p in m.content %}{{ p.text }}{% "
            + "endfor %}{% endif %}{{ m|tojson }}{% endfor %}",
        "{% set ns = namespace(l=[]) %}{% for m in messages %}{% set ns.l = ns.l + [{'role': m.role, 'content': m.content|string|trim}] "
            + "%}{% endfor %}{% for m in ns.l %}{{ m.role }}:{{ m.content }}\n{% endfor %}",
        "{{ messages[0].content }}{% for m in messages[1:] %}{% if loop.index0 % 2 == 0 %}Q: {{ "
            + "m.content }}{% else %}A: {{ m.content }}{% endif %}{% endfor %}",
        "{% if messages|length % 2 %}{{ raise_exception('odd\n' + messages[0].role) }}{% endif %}{% for m in messages recursive %}{{ "
            + "m.role }}{{ m.content }}{% endfor %}",
    ];

    [Fact]
    public void Tokenize_RandomConversations_ThrowOnlyTheDocumentedExceptions()
    {
        var seconds = int.Parse(Environment.GetEnvironmentVariable("HANDBOOK_FUZZ_SECONDS") ?? "0", CultureInfo.InvariantCulture);
        var random = new Random(271828 + seconds);
        var tokenizer = CharacterTokenizer.Load(CharacterTokenizer.Json("null", "<s>", "</s>"),
            """{"bos_token":"<s>","eos_token":"</s>","add_bos_token":true}""");
        var all = Templates.SelectMany(template => Enum.GetValues<Profile>()
            .SelectMany(profile => Enum.GetValues<LabelScope>().Select(labels =>
            new ConversationTokenizer(tokenizer, template, new ConversationOptions { Profile = profile, Labels = labels })))).ToList();
        var clock = Stopwatch.StartNew();
        for (var round = 0; round < 600 || clock.Elapsed.TotalSeconds < seconds; round++)
        {
            var conversations = all[random.Next(all.Count)];
            var messages = Enumerable.Range(0, random.Next(5)).Select(_ => RandomMessage(random)).ToList();
            try
            {
                var tokens = conversations.Tokenize(messages, random.Next(3) == 0 ? [] : null);
                Assert.Equal((tokens.Count, tokens.Count), (tokens.LossMask.Length, tokens.MessageIndex.Length));
                Assert.All(tokens.MessageIndex, index => Assert.InRange(index, -1, messages.Count - 1));
                conversations.Pairs.Tokenize(messages, [RandomMessage(random)], [RandomMessage(random)]);
            }
            catch (Exception error) when (error is TemplateException or UserErrorException)
            {
                Assert.NotEqual("", error.Message);
            }
        }
    }

    private static Message RandomMessage(Random random)
    {
        var role = Roles[random.Next(Roles.Length)];
        var message = new Message { Role = role == "model" ? "assistant" : role, GivenRole = role == "model" ? role : null };
        return random.Next(5) switch
        {
            0 => message with { Extra = new JsonObject { ["content"] = RandomParts(random) } },
            1 => message with
            {
                Extra = new JsonObject { ["content"] = null, ["tool_calls"] = new JsonArray(new JsonObject { ["arguments"] = null }) },
            },
            _ => message with { Content = RandomText(random) },
        };
    }

    private static JsonArray RandomParts(Random random) => new([.. Enumerable.Range(0, random.Next(4)).Select(_ => random.Next(4) switch
    {
        0 => JsonValue.Create(RandomText(random)),
        1 => null,
        2 => new JsonObject { ["type"] = "text", ["text"] = null },
        _ => (JsonNode)new JsonObject { ["type"] = "text", ["text"] = RandomText(random) },
    })]);

    private static string RandomText(Random random) =>
        string.Concat(Enumerable.Range(0, random.Next(4)).Select(_ => Words[random.Next(Words.Length)]));
}
