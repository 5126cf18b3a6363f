using System.Text.Json.Nodes;
using Handbook.Templates;
using Handbook.TestSupport;
using Handbook.Tokenizers;

namespace Handbook.Chat.Tests;

/// <summary>
/// Labels of every chat template in the data folder: the assistant's words and the end of the turn, nothing less and nothing more.
/// </summary>
public sealed class EveryTemplateTests
{
    private static string Folder => SharedFolders.Data("chat_templates");

    private static readonly Message[] Messages =
    [
        new() { Role = "user", Content = "Alpha beta." }, new() { Role = "assistant", Content = "gamma; delta" },
        new() { Role = "user", Content = "epsilon-zeta" }, new() { Role = "assistant", Content = "eta theta" },
    ];

    /// <summary>
    /// Some templates are for tools alone and iterate over them, or over <c>functions</c>, without asking whether there are any.
    /// </summary>
    private static readonly ChatTemplateOptions[] Offers =
    [
        new() { Clock = GoldenTime.Instance },
        new() { Clock = GoldenTime.Instance, Tools = [] },
        new() { Clock = GoldenTime.Instance, Arguments = new JsonObject { ["functions"] = "[]", ["datetime"] = "2024-07-26" } },
    ];

    public static TheoryData<string> Files() =>
    [
        .. Directory.EnumerateFiles(Folder, "*.jinja", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(Folder, path))
            .Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Files))]
    public void Find_EveryTemplate_CoversTheWordsAndTheEndOfTheTurn(string file)
    {
        var template = new ChatTemplate(File.ReadAllText(Path.Combine(Folder, file)), new Dictionary<string, string>
        {
            ["bos_token"] = "<s>", ["eos_token"] = "</s>", ["unk_token"] = "<unk>", ["pad_token"] = "<pad>",
        });
        var (rendered, options) = Render(template);
        var text = rendered.Text;
        var spans = AssistantSpans.Find(template, Messages, options, rendered);
        Assert.Equal([1, 3], spans.Select(span => span.Message));
        var (first, last) = (spans[0].Range, spans[1].Range);
        CheckWords(text, first, Messages[1].Content!);
        CheckWords(text, last, Messages[3].Content!);

        // Behind the first answer stands the end of its turn, then what stands before any user message.
        var userHeader = Between(text, first.End, Messages[2].Content!).Trim();
        Assert.EndsWith(userHeader, Between(text, 0, Messages[0].Content!).TrimEnd(), StringComparison.Ordinal);
        // Behind the last one stands its end, unless the template goes on to ask for the next.
        var tail = text[last.End..];
        Assert.True(tail.Length == 0 || Prompt(template, options).StartsWith(tail, StringComparison.Ordinal), tail);
        // What ends the last turn and also stands behind the first one is the end of that turn too.
        var (ofFirst, ofLast) = (Behind(text, first, 1).Trim(), Behind(text, last, 3).Trim());
        if ((ofFirst + userHeader).StartsWith(ofLast, StringComparison.Ordinal))
            Assert.StartsWith(ofLast, ofFirst, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Find_EveryTemplateWithTags_AgreesWithThem(string file)
    {
        var template = new ChatTemplate(File.ReadAllText(Path.Combine(Folder, file)),
            new Dictionary<string, string> { ["bos_token"] = "<s>", ["eos_token"] = "</s>" });
        var (rendered, options) = Render(template);
        if (rendered.GenerationSpans.Count == 0)
            return;
        var tagged = Covered(rendered.Text, rendered.GenerationSpans.Select(span => (span.Start, span.End)));
        var derived = Covered(rendered.Text,
            AssistantSpans.Find(template, Messages, options, rendered).Select(span => (span.Range.Start, span.Range.End)));
        // Tags may also stand around what the model is given: the header, which is the generation prompt.
        var header = Prompt(template, options);
        for (var i = 0; i < tagged.Length; i++)
        {
            if (tagged[i] == derived[i])
                continue;
            var end = Enumerable.Range(i, tagged.Length - i).TakeWhile(k => tagged[k] != derived[k]).Last() + 1;
            Assert.True(tagged[i], $"{file}: not tagged: {rendered.Text[i..end]}");
            Assert.EndsWith(rendered.Text[i..end], header, StringComparison.Ordinal);
            i = end;
        }
    }

    /// <summary>Before an answer at most its own thinking or routing stands, behind it no other words.</summary>
    private static void CheckWords(string text, TextRange range, string words)
    {
        var covered = text[range.Start..range.End];
        Assert.Contains(words, covered, StringComparison.Ordinal);
        foreach (var other in Messages.Select(message => message.Content!).Where(other => other != words))
            Assert.DoesNotContain(other, covered, StringComparison.Ordinal);
        Assert.DoesNotContain("user", covered, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("assistant", covered, StringComparison.OrdinalIgnoreCase);
    }

    private static (RenderedTemplate Rendered, ChatTemplateOptions Options) Render(ChatTemplate template)
    {
        var refusals = new List<string>();
        foreach (var options in Offers)
        {
            try
            {
                return (template.Render(Messages, options), options);
            }
            catch (TemplateException refusal)
            {
                refusals.Add(refusal.Message);
            }
        }
        throw new Xunit.Sdk.XunitException("cannot express a conversation: " + string.Join("; ", refusals));
    }

    private static string Prompt(ChatTemplate template, ChatTemplateOptions options)
    {
        var asked = template.Render([Messages[0]], options with { AddGenerationPrompt = true });
        return asked.Text[asked.Turns[^1].Range.End..] is { Length: > 0 } prompt ? prompt : asked.Text;
    }

    private static string Behind(string text, TextRange range, int message) =>
        text[(text.IndexOf(Messages[message].Content!, range.Start, StringComparison.Ordinal)
            + Messages[message].Content!.Length)..range.End];

    private static string Between(string text, int start, string words) =>
        text[start..text.IndexOf(words, start, StringComparison.Ordinal)];

    private static bool[] Covered(string text, IEnumerable<(int Start, int End)> spans)
    {
        var covered = new bool[text.Length];
        foreach (var (start, end) in spans)
            Array.Fill(covered, true, start, end - start);
        return covered;
    }
}
