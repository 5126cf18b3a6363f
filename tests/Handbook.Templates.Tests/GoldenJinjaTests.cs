using System.Text;
using System.Text.Json.Nodes;
using Handbook.TestSupport;

namespace Handbook.Templates.Tests;

[Trait("Category", "Golden")]
public sealed class GoldenJinjaTests
{
    public static TheoryData<string> Files() => [.. SharedFolders.GoldenFiles("jinja", "*.jsonl").Select(path => Path.GetFileName(path)!)];

    [Theory]
    [MemberData(nameof(Files))]
    public void Render_EverySnippet_EqualsJinja2(string file)
    {
        var failures = new StringBuilder();
        foreach (var line in File.ReadLines(SharedFolders.Golden("jinja", file)))
        {
            var entry = JsonNode.Parse(line)!.AsObject();
            var difference = Difference(entry);
            if (difference is not null)
                failures.AppendLine($"{entry["id"]}: {entry["template"]!.ToJsonString()}: {difference}");
        }
        Assert.True(failures.Length == 0, failures.ToString());
    }

    private static string? Difference(JsonObject entry)
    {
        var phase = "compile";
        try
        {
            var template = Template.Parse(entry["template"]!.GetValue<string>());
            phase = "render";
            var variables = new TemplateVariables();
            foreach (var (name, value) in entry["context"]?.AsObject() ?? [])
                variables.Set(name, value);
            var rendered = template.Render(variables, GoldenTime.Instance);
            if (entry["error"] is { } expected)
                return $"gave {rendered.Text}, expected {expected.ToJsonString()}";
            if (rendered.Text != entry["output"]!.GetValue<string>())
                return $"\n  gave     {JsonValue.Create(rendered.Text)!.ToJsonString()}\n  expected {entry["output"]!.ToJsonString()}";
            return entry["generation_spans"] is JsonArray spans
                ? GoldenSpans.Difference(rendered.Text, rendered.GenerationSpans, spans) : null;
        }
        catch (TemplateException error)
        {
            if (entry["error"] is not { } expected)
                return error.Message;
            if (expected["phase"]!.GetValue<string>() != phase)
                return $"failed at {phase}: {error.Message}, expected {expected.ToJsonString()}";
            return expected["type"]!.GetValue<string>() != "TemplateError" || expected["message"]!.GetValue<string>() == error.Reason
                ? null : $"{error.Message}, expected {expected.ToJsonString()}";
        }
    }

    /// <summary>Wording is part of the promise: the messages of the vectors are Jinja2's, apart from Python's own syntax errors.</summary>
    [Theory]
    [MemberData(nameof(Files))]
    public void Render_EveryFailingSnippet_SaysWhatJinja2Says(string file)
    {
        var failures = new StringBuilder();
        foreach (var line in File.ReadLines(SharedFolders.Golden("jinja", file)))
        {
            var entry = JsonNode.Parse(line)!.AsObject();
            if (entry["error"] is not { } expected || expected["type"]!.GetValue<string>() == "SyntaxError")
                continue;
            var error = Record.Exception(() =>
            {
                var variables = new TemplateVariables();
                foreach (var (name, value) in entry["context"]?.AsObject() ?? [])
                    variables.Set(name, value);
                Template.Parse(entry["template"]!.GetValue<string>()).Render(variables, GoldenTime.Instance);
            }) as TemplateException;
            if (error?.Kind != expected["type"]!.GetValue<string>() || error.Reason != expected["message"]!.GetValue<string>())
                failures.AppendLine($"{entry["id"]}: {error?.Kind}: {error?.Reason}, expected {expected.ToJsonString()}");
        }
        Assert.True(failures.Length == 0, failures.ToString());
    }
}
