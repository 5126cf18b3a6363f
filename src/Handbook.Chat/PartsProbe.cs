using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Handbook.Templates;

namespace Handbook.Chat;

/// <summary>
/// Whether a template knows content that is a list of parts. Asked once for each role, with a conversation of one mark: a template
/// that fails, prints the list as Python would, or leaves it out, knows texts only.
/// </summary>
/// <param name="render">Renders JSON messages with or without tools.</param>
internal sealed class PartsProbe(Func<JsonArray, JsonArray?, RenderedTemplate> render)
{
    // Private-use characters: Python's printed form escapes them, so only a template that reads the part writes them.
    private const string Mark = "\uE0A2\uE0A3mark\uE0A3\uE0A2";

    private readonly ConcurrentDictionary<string, bool> _known = new(StringComparer.Ordinal);

    /// <summary>True when the template reads the parts of a message of this role.</summary>
    public bool Knows(string role) => _known.GetOrAdd(role, Ask);

    private bool Ask(string role)
    {
        var parts = new JsonObject { ["role"] = role, ["content"] = new JsonArray(new JsonObject { ["type"] = "text", ["text"] = Mark }) };
        foreach (var before in (string[][])[role == "user" || role == "system" ? [] : ["user"], [], ["user", "assistant"]])
        {
            foreach (var tools in (JsonArray?[])[null, []])
            {
                var messages = new JsonArray([.. before.Select(earlier => new JsonObject { ["role"] = earlier, ["content"] = "x" }),
                    parts.DeepClone()]);
                if (role == "system")
                    messages.Add((JsonNode)new JsonObject { ["role"] = "user", ["content"] = "x" });
                if (Writes(messages, tools) is { } writes)
                    return writes;
            }
        }
        return false;
    }

    /// <summary>Null when the template refuses the conversation.</summary>
    private bool? Writes(JsonArray messages, JsonArray? tools)
    {
        try
        {
            return render(messages, tools).Text.Contains(Mark, StringComparison.Ordinal);
        }
        catch (TemplateException)
        {
            return null;
        }
    }
}
