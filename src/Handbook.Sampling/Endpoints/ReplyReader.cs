using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace Handbook.Sampling.Endpoints;

/// <summary>
/// Reads chat completions as the servers there are write them (OpenAI, Azure, vLLM, SGLang, llama.cpp, Ollama, LM Studio, TGI,
/// Mistral, OpenRouter): they agree on the interface, and differ in what they leave out and in the types of what they put in.
/// </summary>
internal static class ReplyReader
{
    /// <summary>Where a message keeps the tools that the model called: functions with their arguments as JSON.</summary>
    public const string ToolCalls = "tool_calls";

    // What a server says when an answer reached its most tokens, and when it ended by itself.
    private static readonly string[] CutOff = ["length", "max_tokens", "max_length", "model_length", "max_output_tokens"];
    private static readonly string[] Ended =
    [
        "eos", "eos_token", "stop_sequence", "end_turn", "stop_str", "complete", "completed", "finish", "unknown", "",
    ];

    /// <summary>The answer of a reply.</summary>
    /// <exception cref="JsonException">It is not a chat completion: the message says what was found instead.</exception>
    public static ChatResponse Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
            throw new JsonException($"{Kind(root)} in place of an object");
        if (Member(root, "choices") is not { ValueKind: JsonValueKind.Array } choices || choices.GetArrayLength() == 0)
            throw new JsonException(Member(root, "choices") is { } other
                ? $"choices is {Kind(other)}" : $"it has no choices, but {Names(root)}");
        var choice = choices[0];
        if (choice.ValueKind != JsonValueKind.Object)
            throw new JsonException($"a choice is {Kind(choice)}");
        var message = Member(choice, "message") is { ValueKind: JsonValueKind.Object } found ? found
            : Member(choice, "text") is { ValueKind: JsonValueKind.String } ? choice
            : throw new JsonException($"the choice has no message, but {Names(choice)}");
        var said = new ChatMessage(ChatRole.Assistant,
            Text(Member(message, "content") ?? Member(message, "text")) ?? Refusal(message) ?? "");
        if (Calls(message) is { } calls)
            said.AdditionalProperties = new AdditionalPropertiesDictionary { [ToolCalls] = calls };
        return new ChatResponse(said)
        {
            ModelId = Member(root, "model") is { ValueKind: JsonValueKind.String } model ? model.GetString() : null,
            FinishReason = new ChatFinishReason(Reason(Member(choice, "finish_reason"))),
            Usage = Count(root) is { } tokens ? new UsageDetails { OutputTokenCount = tokens } : null,
        };
    }

    /// <summary>A member that is there and not null; of several of one name the last, as other readers take it.</summary>
    public static JsonElement? Member(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null
            ? value : null;

    /// <summary>A text, or the texts of a list of parts; parts that are no text (thoughts, pictures) are left out. Null for null.</summary>
    private static string? Text(JsonElement? content)
    {
        if (content is not { } value)
            return null;
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                return value.GetString();
            case JsonValueKind.Object:
                return Part(value);
            case JsonValueKind.Array:
                var text = new StringBuilder();
                foreach (var part in value.EnumerateArray())
                    text.Append(part.ValueKind == JsonValueKind.String ? part.GetString()
                        : part.ValueKind == JsonValueKind.Object ? Part(part) : null);
                return text.ToString();
            default:
                throw new JsonException($"content is {Kind(value)}");
        }
    }

    private static string? Part(JsonElement part) =>
        (Member(part, "type") is { ValueKind: JsonValueKind.String } type ? type.GetString() : "text") is "text" or "output_text"
            or "refusal"
        && (Member(part, "text") ?? Member(part, "refusal")) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    // Where a model may refuse in words, the words stand here and the content is null.
    private static string? Refusal(JsonElement message) =>
        Member(message, "refusal") is { ValueKind: JsonValueKind.String } words ? words.GetString() : null;

    private static string Reason(JsonElement? reason)
    {
        var word = reason is { ValueKind: JsonValueKind.String } said ? said.GetString()! : "";
        var lower = word.ToLowerInvariant();
        return CutOff.Contains(lower) ? SampledCompletion.CutOff : Ended.Contains(lower) ? "stop" : lower;
    }

    private static long? Count(JsonElement root) =>
        Member(root, "usage") is { } usage && Member(usage, "completion_tokens") is { ValueKind: JsonValueKind.Number } count
        && count.TryGetDouble(out var tokens) && tokens is >= 0 and <= int.MaxValue ? (long)tokens : null;

    /// <summary>Calls in the form that datasets and chat templates know: a function's name and its arguments as an object.</summary>
    private static JsonArray? Calls(JsonElement message)
    {
        var calls = new JsonArray();
        foreach (var call in Member(message, ToolCalls) is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray().ToArray() : [])
        {
            if (Member(call, "function") is not { ValueKind: JsonValueKind.Object } function
                || Member(function, "name") is not { ValueKind: JsonValueKind.String } name)
                continue;
            calls.Add((JsonNode)new JsonObject
            {
                ["type"] = "function",
                ["function"] = new JsonObject { ["name"] = name.GetString(), ["arguments"] = Arguments(Member(function, "arguments")) },
            });
        }
        return calls.Count > 0 ? calls : null;
    }

    private static JsonNode Arguments(JsonElement? arguments)
    {
        if (arguments is not { } value)
            return new JsonObject();
        if (value.ValueKind != JsonValueKind.String)
            return Node(value);
        var text = value.GetString()!;
        if (string.IsNullOrWhiteSpace(text))
            return new JsonObject();
        try
        {
            using var document = JsonDocument.Parse(ReplyText.WithoutHalfPairs(text));
            return document.RootElement.ValueKind == JsonValueKind.Object ? Node(document.RootElement) : JsonValue.Create(text);
        }
        catch (JsonException)
        {
            return JsonValue.Create(text);
        }
    }

    // By hand, since a node of an element with a name twice fails when it is looked into.
    private static JsonNode Node(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                var json = new JsonObject();
                foreach (var member in value.EnumerateObject())
                    json[member.Name] = member.Value.ValueKind == JsonValueKind.Null ? null : Node(member.Value);
                return json;
            case JsonValueKind.Array:
                return new JsonArray([.. value.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.Null ? null : Node(item))]);
            default:
                return JsonValue.Create(value.Clone())!;
        }
    }

    private static string Names(JsonElement json) =>
        json.EnumerateObject().Select(member => member.Name).Take(6).ToList() is { Count: > 0 } names
            ? string.Join(", ", names) : "nothing";

    private static string Kind(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => value.GetArrayLength() == 0 ? "an empty list" : "a list",
        JsonValueKind.Object => "an object",
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null => "null",
        _ => "a truth value",
    };
}
