using System.Diagnostics;
using System.Text.Json.Nodes;
using Handbook.TestSupport;

namespace Handbook.Templates.Tests;

/// <summary>
/// Mutated templates: parsing and rendering throw nothing but <see cref="TemplateException"/>. Seeded; a few thousand
/// mutants here, and for as long as <c>HANDBOOK_FUZZ_SECONDS</c> says when it is set.
/// </summary>
public sealed class TemplateFuzzTests
{
    private static readonly TemplateLimits Limits = new() { MaxSteps = 20_000, MaxTextLength = 100_000 };

    private static readonly string[] Pieces =
    [
        "{{", "}}", "{%", "%}", "{#", "#}", "-", "+", "(", ")", "[", "]", "{", "}", "'", "\"", "|", ".", ",", ":", "=", "==", "~",
        "**", "//",
        " if ", " else ", " endif ", " for ", " in ", " endfor ", " set ", " macro m(a, b=1) ", " endmacro ", " not ",
        " is ", " recursive ",
        "loop", "loop.last", "namespace(x=1)", "messages", "messages[0]", "none", "true", "0", "1.5e3",
        "9999999999999999999999", "'\\u00e9'",
        "\\", "\n", "\r\n", "\u00a0", "\ud83d", "\ude00", "range(9)", "tojson(indent=2)", "[::-1]", "generation", "endgeneration",
        "raw", "endraw",
        "break", "continue", "call", "caller()", "filter upper", "block b", "self.b()", "|map('upper')|list", ".format(1)",
        " % (1,2)", "dict(a=1)",
        ".encode()", ".decode('utf-16')", ".translate({97: 'x'})", "[1:2]", ".hex()", ".to_bytes(3)", "|pprint", "|wordwrap(3)",
        "|unique|list", "|sort", "|groupby('a')",
        ".find('l')", ".rsplit('l')", ".keys()", ".items()", "== d", "in d", "'{:>9,}'.format(n)", "|urlize", "|striptags", "|safe",
        ".join(l)", "|batch(2)|list", "** 99",
    ];

    private static List<string> Seeds()
    {
        var seeds = new List<string>();
        foreach (var path in SharedFolders.GoldenFiles("jinja", "*.jsonl"))
            seeds.AddRange(File.ReadLines(path).Select(line => JsonNode.Parse(line)!["template"]!.GetValue<string>()));
        foreach (var path in SharedFolders.GoldenFilesIfAny("chat_templates", "*.jsonl"))
        {
            if (JsonNode.Parse(File.ReadLines(path).First())!["template_text"] is { } text)
                seeds.Add(text.GetValue<string>());
        }
        seeds.Add("{% for m in messages %}{{ m.role }}: {{ m['content']|trim }}{% endfor %}");
        return seeds;
    }

    [Fact]
    public void ParseAndRender_MutatedTemplates_ThrowOnlyTheDocumentedException()
    {
        var seeds = Seeds();
        var seconds = int.Parse(Environment.GetEnvironmentVariable("HANDBOOK_FUZZ_SECONDS") ?? "0",
            System.Globalization.CultureInfo.InvariantCulture);
        var random = new Random(20260102 + seconds);
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < 3000 || clock.Elapsed.TotalSeconds < seconds; i++)
        {
            var source = Mutate(random, seeds);
            try
            {
                Template.Parse(source, Limits).Render(Variables(), GoldenTime.Instance);
            }
            catch (TemplateException error)
            {
                Assert.True(error.Line >= 1 && error.Column >= 1);
            }
            catch (Exception error)
            {
                Assert.Fail($"{error.GetType().Name} for {JsonValue.Create(source)!.ToJsonString()}\n{error}");
            }
        }
    }

    private static TemplateVariables Variables() => new TemplateVariables()
        .Set("messages",
            JsonNode.Parse("""[{"role":"system","content":"s"},{"role":"user","content":"h\u00e9 \ud83d\ude00"},"""
                + """{"role":"assistant","content":null,"tool_calls":[{"function":{"name":"f","arguments":{"a":[1,2.5,null]}}}]}]"""))
        .Set("tools",
            JsonNode.Parse("""[{"type":"function","function":{"name":"f","parameters":{"properties":{"a":{"type":"number"}}}}}]"""))
        .Set("add_generation_prompt", true).Set("bos_token", "<s>").Set("eos_token", "</s>").Set("l", JsonNode.Parse("[3,1,2]"))
        .Set("d", JsonNode.Parse("""{"b":2,"a":1}""")).Set("s", "Hello World").Set("n", JsonNode.Parse("5")).Set("z", (string?)null);

    private static string Mutate(Random random, List<string> seeds)
    {
        var text = seeds[random.Next(seeds.Count)];
        for (var count = random.Next(1, 6); count > 0; count--)
        {
            var at = random.Next(text.Length + 1);
            var length = Math.Min(random.Next(1, 12), text.Length - at);
            text = random.Next(5) switch
            {
                0 => text.Remove(at, length),
                1 => text.Insert(at, Pieces[random.Next(Pieces.Length)]),
                2 => text.Insert(at, text.Substring(at, length)),
                3 => text.Remove(at, length).Insert(at, Pieces[random.Next(Pieces.Length)]),
                _ => Splice(random, text, at, seeds[random.Next(seeds.Count)]),
            };
        }
        return text.Length > 20_000 ? text[..20_000] : text;
    }

    private static string Splice(Random random, string text, int at, string other)
    {
        var from = random.Next(other.Length + 1);
        return text.Insert(at, other.Substring(from, Math.Min(random.Next(1, 40), other.Length - from)));
    }
}
