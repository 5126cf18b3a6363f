using System.Text;
using System.Text.Json.Nodes;
using Handbook.Templates;
using Handbook.TestSupport;

namespace Handbook.Chat.Tests;

[Trait("Category", "Golden")]
public sealed class GoldenChatTemplateTests
{
    public static TheoryData<string> Files() =>
    [
        .. SharedFolders.GoldenFiles("chat_templates", "*.jsonl").Select(path => Path.GetFileName(path)!),
    ];

    [Theory]
    [MemberData(nameof(Files))]
    public void Render_EveryCase_EqualsTransformers(string file)
    {
        var lines = File.ReadLines(SharedFolders.Golden("chat_templates", file)).Select(line => JsonNode.Parse(line)!.AsObject()).ToList();
        var header = lines[0];
        var source = header["template_text"]?.GetValue<string>()
            ?? File.ReadAllText(SharedFolders.Data("chat_templates", header["template_file"]!.GetValue<string>()));
        var tokens = header["vars"]!.AsObject().ToDictionary(entry => entry.Key, entry => entry.Value!.GetValue<string>());
        var template = new ChatTemplate(source, tokens);
        var failures = new StringBuilder();
        foreach (var entry in lines.Skip(1))
        {
            if (Difference(template, entry) is { } difference)
                failures.AppendLine($"{entry["id"]}: {difference}");
        }
        Assert.True(failures.Length == 0, failures.ToString());
    }

    private static string? Difference(ChatTemplate template, JsonObject entry)
    {
        try
        {
            var rendered = template.Render(entry["messages"]!.AsArray(), new ChatTemplateOptions
            {
                Tools = entry["tools"] as JsonArray,
                Documents = entry["documents"] as JsonArray,
                AddGenerationPrompt = entry["add_generation_prompt"]?.GetValue<bool>() ?? false,
                ContinueFinalMessage = entry["continue_final_message"]?.GetValue<bool>() ?? false,
                Arguments = entry["vars"] as JsonObject,
                Clock = GoldenTime.Instance,
            });
            if (entry["error"] is { } expected)
                return $"gave {rendered.Text}, expected {expected.ToJsonString()}";
            if (rendered.Text != entry["output"]!.GetValue<string>())
                return $"\n  gave     {JsonValue.Create(rendered.Text)!.ToJsonString()}\n  expected {entry["output"]!.ToJsonString()}";
            return entry["assistant_spans"] is JsonArray spans
                ? GoldenSpans.Difference(rendered.Text, rendered.GenerationSpans, spans) : null;
        }
        catch (Exception error) when (error is TemplateException or UserErrorException)
        {
            if (entry["error"] is not { } expected)
                return error.Message;
            return expected["type"]!.GetValue<string>() != "TemplateError"
                    || expected["message"]!.GetValue<string>() == (error as TemplateException)?.Reason
                ? null : $"{error.Message}, expected {expected.ToJsonString()}";
        }
    }
}
