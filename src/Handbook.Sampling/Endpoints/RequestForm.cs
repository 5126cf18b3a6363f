using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace Handbook.Sampling.Endpoints;

/// <summary>
/// How a request is written for one server. It begins with what nearly all take, and gives up what this server says it does not:
/// newer models of OpenAI want <c>max_completion_tokens</c> and no <c>temperature</c>, Mistral's service no <c>seed</c>.
/// </summary>
internal sealed record RequestForm
{
    /// <summary>Settings in <see cref="ChatOptions.AdditionalProperties"/> that are sent as they are.</summary>
    private static readonly string[] Numbers = ["min_p", "repetition_penalty"];

    // Members of a message that servers know beside role and content; a dataset's own (weights, marks) are not theirs to read.
    private static readonly string[] MessageMembers = ["name", "tool_calls", "tool_call_id"];

    private const string OldTokens = "max_tokens";
    private const string NewTokens = "max_completion_tokens";

    private string Tokens { get; init; } = OldTokens;

    private bool HasTemperature { get; init; } = true;

    private bool HasSeed { get; init; } = true;

    /// <summary>The body of a request.</summary>
    public JsonObject Body(string model, IEnumerable<ChatMessage> messages, ChatOptions? settings)
    {
        var body = new JsonObject
        {
            ["model"] = settings?.ModelId ?? model,
            ["messages"] = new JsonArray([.. messages.Select(Message)]),
        };
        void Set(string name, JsonNode? value)
        {
            if (value is not null)
                body[name] = value;
        }
        Set("tools", (settings?.AdditionalProperties?.GetValueOrDefault("tools") as JsonArray)?.DeepClone());
        Set(Tokens, settings?.MaxOutputTokens);
        Set("temperature", HasTemperature ? Round(settings?.Temperature) : null);
        Set("top_p", Round(settings?.TopP));
        Set("top_k", settings?.TopK);
        Set("seed", HasSeed ? settings?.Seed : null);
        if (settings?.StopSequences is { Count: > 0 } stops)
            body["stop"] = new JsonArray([.. stops.Select(stop => JsonValue.Create(stop))]);
        foreach (var name in Numbers)
        {
            if (settings?.AdditionalProperties?.TryGetValue(name, out var value) == true)
                Set(name, (double?)value);
        }
        return body;
    }

    /// <summary>
    /// The form that a server wants which refused this one, and what it means in words; null when the form is not to blame.
    /// </summary>
    public (RequestForm Form, string Note)? After(ServerFault fault)
    {
        if (Tokens == OldTokens && fault.Reason.Contains(NewTokens, StringComparison.Ordinal) && fault.Refuses(OldTokens))
            return (this with { Tokens = NewTokens }, $"wants {NewTokens} in place of {OldTokens}");
        if (HasTemperature && fault.Refuses("temperature"))
            return (this with { HasTemperature = false }, "does not take the temperature; it samples at its own");
        if (HasSeed && fault.Refuses("seed"))
            return (this with { HasSeed = false }, "does not take a seed; the same request may be answered differently");
        return null;
    }

    private static JsonNode Message(ChatMessage message)
    {
        var extra = message.AdditionalProperties;
        var json = new JsonObject { ["role"] = message.Role.Value, ["content"] = Parts(extra)?.DeepClone() ?? message.Text };
        foreach (var name in MessageMembers)
        {
            if (extra?.GetValueOrDefault(name) is JsonNode value)
                json[name] = name == ReplyReader.ToolCalls && value is JsonArray calls ? Calls(calls) : value.DeepClone();
        }
        return json;
    }

    // Parts that are texts travel as one text, which every server takes; pictures and the like must stay parts.
    private static JsonArray? Parts(AdditionalPropertiesDictionary? extra) =>
        extra?.GetValueOrDefault("content") is JsonArray parts
            && parts.Any(part => part is JsonObject { Count: > 1 } json && json["type"] is JsonValue type && type.ToString() != "text")
            ? parts : null;

    /// <summary>Calls as the interface has them: each with an id, its arguments as a text.</summary>
    private static JsonArray Calls(JsonArray calls) => new([.. calls.OfType<JsonObject>().Select((call, i) =>
    {
        var function = (call["function"] as JsonObject ?? call).DeepClone().AsObject();
        if (function["arguments"] is JsonObject arguments)
            function["arguments"] = arguments.ToJsonString();
        return (JsonNode)new JsonObject { ["id"] = call["id"]?.DeepClone() ?? FormattableString.Invariant($"call_{i}"),
            ["type"] = "function", ["function"] = function };
    })]);

    // ChatOptions has floats; 0.7 must not travel as 0.699999988.
    private static double? Round(float? value) => value is { } number ? (double)(decimal)number : null;
}
