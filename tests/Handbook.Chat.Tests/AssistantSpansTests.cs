using System.Text;
using System.Text.Json.Nodes;
using Handbook.Templates;
using Handbook.TestSupport;

namespace Handbook.Chat.Tests;

/// <summary>Labels without generation tags, on every template there is.</summary>
[Trait("Category", "Golden")]
public sealed class AssistantSpansTests
{
    // Nothing a template strips, escapes or writes itself.
    private static readonly string[] Words = ["Alpha beta.", "gamma; delta", "epsilon-zeta", "eta theta", "iota kappa lambda"];

    public static TheoryData<string> Files() =>
    [
        .. SharedFolders.GoldenFiles("chat_templates", "*.jsonl").Select(path => Path.GetFileName(path)!),
    ];

    private static (ChatTemplate Template, List<JsonObject> Cases) Read(string file)
    {
        var lines = File.ReadLines(SharedFolders.Golden("chat_templates", file)).Select(line => JsonNode.Parse(line)!.AsObject()).ToList();
        var source = lines[0]["template_text"]?.GetValue<string>()
            ?? File.ReadAllText(SharedFolders.Data("chat_templates", lines[0]["template_file"]!.GetValue<string>()));
        var tokens = lines[0]["vars"]!.AsObject().ToDictionary(entry => entry.Key, entry => entry.Value!.GetValue<string>());
        return (new ChatTemplate(source, tokens), lines.Skip(1).ToList());
    }

    private static ChatTemplateOptions Options(JsonObject entry) => new()
    {
        Tools = entry["tools"] as JsonArray,
        Documents = entry["documents"] as JsonArray,
        AddGenerationPrompt = entry["add_generation_prompt"]?.GetValue<bool>() ?? false,
        Arguments = entry["vars"] as JsonObject,
        Clock = GoldenTime.Instance,
    };

    /// <summary>
    /// The same characters, but for what the template itself writes as a generation prompt: some tags include that header,
    /// which the model never has to write.
    /// </summary>
    [Theory]
    [MemberData(nameof(Files))]
    public void Find_WhereTheTemplateHasTags_CoversTheTaggedTextBehindTheHeader(string file)
    {
        var (template, cases) = Read(file);
        foreach (var entry in cases.Where(entry => entry["assistant_spans"] is not null && IsWhole(entry)))
        {
            var messages = entry["messages"]!.AsArray().Select(message => Message.FromJson(message!.AsObject())).ToList();
            var options = Options(entry);
            var rendered = template.Render(messages, options);
            CheckAgreement($"{file} {entry["id"]}", template, messages, options, rendered, rendered);
        }
    }

    /// <summary>Published templates and their variants with tags, wherever both write the same text.</summary>
    [Fact]
    public void Find_OnAnUntaggedTemplate_AgreesWithTheTagsOfItsTrainingVariant()
    {
        const string Suffix = "_training.jinja";
        var folder = SharedFolders.Data("chat_templates");
        foreach (var path in Directory.EnumerateFiles(folder, "*" + Suffix, SearchOption.AllDirectories))
        {
            var tokens = new Dictionary<string, string>(StringComparer.Ordinal) { ["bos_token"] = "<s>", ["eos_token"] = "</s>" };
            var tagged = new ChatTemplate(File.ReadAllText(path), tokens);
            var plain = new ChatTemplate(File.ReadAllText(path[..^Suffix.Length] + ".jinja"), tokens);
            foreach (var messages in new Message[][]
            {
                [Say("user", 0), Say("assistant", 1)],
                [Say("user", 0), Say("assistant", 1), Say("user", 2), Say("assistant", 3)],
                [Say("user", 0), Say("assistant", 1), Say("user", 2)],
            })
            {
                var rendered = plain.Render(messages);
                var reference = tagged.Render(messages);
                if (rendered.Text == reference.Text)
                    CheckAgreement(path, plain, messages, ChatTemplateOptions.None, rendered, reference);
            }
        }

        static Message Say(string role, int word) => new() { Role = role, Content = Words[word] };
    }

    private static void CheckAgreement(
        string place, ChatTemplate template, IReadOnlyList<Message> messages, ChatTemplateOptions options, RenderedTemplate rendered,
        RenderedTemplate reference)
    {
        var tagged = Covered(rendered.Text, reference.GenerationSpans.Select(span => (span.Start, span.End)));
        var derived = Covered(rendered.Text,
            AssistantSpans.Find(template, messages, options, rendered).Select(span => (span.Range.Start, span.Range.End)));
        Assert.DoesNotContain(Enumerable.Range(0, tagged.Length), i => derived[i] && !tagged[i]);
        List<Message> before = [.. messages.TakeWhile(message => message.Role != "assistant")];
        if (before.Count == 0)
            before.Add(new Message { Role = "user", Content = "x" });
        var header = template.Render(before, options with { AddGenerationPrompt = true }).Text;
        foreach (var extra in Runs(rendered.Text, i => tagged[i] && !derived[i]))
            Assert.True(header.EndsWith(extra, StringComparison.Ordinal), $"{place}: {extra}");
    }

    private static bool IsWhole(JsonObject entry) =>
        entry["continue_final_message"] is null && entry["messages"]!.AsArray().All(message => message!["role"] is not null);

    [Theory]
    [MemberData(nameof(Files))]
    public void Find_OnEveryRenderedCase_NeverRefuses(string file)
    {
        var (template, cases) = Read(file);
        foreach (var entry in cases.Where(entry => entry["output"] is not null && IsWhole(entry)))
        {
            var messages = entry["messages"]!.AsArray().Select(message => Message.FromJson(message!.AsObject())).ToList();
            var rendered = template.Render(messages, Options(entry));
            var spans = AssistantSpans.Find(template, messages, Options(entry), rendered);
            Assert.All(spans, span => Assert.Equal("assistant", messages[span.Message].Role));
            Assert.All(spans, span => Assert.InRange(span.Range.End, span.Range.Start, rendered.Text.Length));
        }
    }

    /// <summary>
    /// Each answer is covered whole; before it only thinking or routing markup, behind it only the end of the turn; no other words.
    /// </summary>
    [Theory]
    [MemberData(nameof(Files))]
    public void Find_TwoRounds_CoversTheAnswersAndTheEndsOfTurnsOnly(string file)
    {
        var (template, _) = Read(file);
        Message[] messages =
        [
            new() { Role = "user", Content = Words[0] }, new() { Role = "assistant", Content = Words[1] },
            new() { Role = "user", Content = Words[2] }, new() { Role = "assistant", Content = Words[3] },
        ];
        var options = new ChatTemplateOptions { Clock = GoldenTime.Instance };
        RenderedTemplate rendered;
        try
        {
            rendered = template.Render(messages, options);
        }
        catch (TemplateException)
        {
            // Templates that cannot render without tools or extra variables cannot express this conversation.
            return;
        }
        var spans = AssistantSpans.Find(template, messages, options, rendered);
        Assert.Equal([1, 3], spans.Select(span => span.Message));
        foreach (var (message, range) in spans)
        {
            var covered = rendered.Text[range.Start..range.End];
            var at = covered.IndexOf(messages[message].Content!, StringComparison.Ordinal);
            Assert.True(at >= 0, $"{file}: {covered}");
            Assert.DoesNotContain(Words.Except([messages[message].Content!]), other => covered.Contains(other, StringComparison.Ordinal));
            var behind = covered[(at + messages[message].Content!.Length)..];
            Assert.DoesNotContain("user", behind, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("assistant", covered, StringComparison.OrdinalIgnoreCase);
        }
    }

    private static bool[] Covered(string text, IEnumerable<(int Start, int End)> spans)
    {
        var covered = new bool[text.Length];
        foreach (var (start, end) in spans)
            Array.Fill(covered, true, start, end - start);
        return covered;
    }

    private static IEnumerable<string> Runs(string text, Func<int, bool> isIn)
    {
        var run = new StringBuilder();
        for (var i = 0; i <= text.Length; i++)
        {
            if (i < text.Length && isIn(i))
            {
                run.Append(text[i]);
            }
            else if (run.Length > 0)
            {
                yield return run.ToString();
                run.Clear();
            }
        }
    }

    [Fact]
    public void Find_TemplateThatWritesMessagesOutsideLoops_IsRefusedWithTheRemedy()
    {
        var template = new ChatTemplate("{{ messages[0].content }}/{{ messages[1].content }}");
        Message[] messages = [new() { Role = "user", Content = "a" }, new() { Role = "assistant", Content = "b" }];
        var error = Assert.Throws<UserErrorException>(() =>
            AssistantSpans.Find(template, messages, ChatTemplateOptions.None, template.Render(messages)));
        Assert.Contains("{% generation %}", error.Message, StringComparison.Ordinal);
    }
}
