using System.Text.Json.Nodes;
using Handbook.Chat;

namespace Handbook.Sampling.Constitutional;

/// <summary>A principle: how a completion is criticised and then revised.</summary>
/// <param name="Critic">The request for a critique.</param>
/// <param name="Revision">The request for a revision.</param>
public sealed record Principle(string Critic, string Revision);

/// <summary>Principles, and worked examples that stand before every conversation (arXiv:2212.08073, section 3.1).</summary>
/// <param name="Principles">The principles, at least one.</param>
/// <param name="SystemChat">
/// Turns of worked examples: question, completion, critique, revision, again and again; none for a model that needs none.
/// </param>
public sealed record Constitution(IReadOnlyList<Principle> Principles, IReadOnlyList<Message> SystemChat)
{
    /// <summary>
    /// Reads the original's form: <c>constitutions</c>, a list of <c>critic</c> and <c>revision</c>, and <c>system_chat</c>, a list of
    /// conversations (or one conversation).
    /// </summary>
    /// <param name="json">The file's content.</param>
    /// <param name="file">Its name, for messages.</param>
    /// <exception cref="UserErrorException">Something is missing or of another form.</exception>
    public static Constitution Parse(JsonNode? json, string file)
    {
        if (json is not JsonObject root || root["constitutions"] is not JsonArray { Count: > 0 } list)
            throw new UserErrorException($"{file}: has no list constitutions; expected one of principles, each with critic and revision.");
        foreach (var name in root.Select(entry => entry.Key).Where(name => name is not ("constitutions" or "system_chat")))
            throw new UserErrorException(
                $"{file}: {name} is not a key of a constitution.{NearestName.Hint(name, ["constitutions", "system_chat"])}");
        var principles = list.Select((entry, i) => new Principle(Text(entry, i, "critic", file), Text(entry, i, "revision", file)))
            .ToList();
        return new Constitution(principles, [.. Chats(root["system_chat"], file)]);
    }

    /// <summary>The content as one line, for keys.</summary>
    internal string Identity(
        ) => string.Join('\n', Principles.Select(principle => new JsonArray(principle.Critic, principle.Revision).ToJsonString()))
        + JsonLines.Messages(SystemChat).ToJsonString();

    private static string Text(JsonNode? entry, int index, string name, string file) =>
        entry is JsonObject principle && principle[name] is JsonValue value && value.TryGetValue<string>(out var text)
                && text.Trim().Length > 0 ? text
            : throw new UserErrorException(FormattableString.Invariant(
                $"{file}: constitutions[{index}].{name}: expected a text.{Hint(entry, name)}"));

    private static string Hint(JsonNode? entry, string name) =>
        entry is JsonObject principle && !principle.ContainsKey(name) ? NearestName.Hint(name, principle.Select(pair => pair.Key)) : "";

    private static IEnumerable<Message> Chats(JsonNode? node, string file)
    {
        if (node is null)
            return [];
        var turns = node is JsonArray chats && chats.All(chat => chat is JsonArray)
            ? chats.SelectMany(chat => chat!.AsArray()) : node as JsonArray;
        if (turns is null || turns.Any(turn => turn is not JsonObject))
            throw new UserErrorException(
                $"{file}: system_chat: expected a list of conversations, each a list of turns with role and content.");
        var messages = turns.Select(turn => Turn(turn!.AsObject(), file)).ToList();
        if (messages is [.., { Role: not "assistant" }])
            throw new UserErrorException($"{file}: system_chat: must end with a turn of the assistant; the prompt of a user follows it.");
        return messages;
    }

    private static Message Turn(JsonObject turn, string file)
    {
        try
        {
            return Message.FromJson(turn);
        }
        catch (UserErrorException error)
        {
            throw new UserErrorException($"{file}: system_chat: {error.Message}", error);
        }
    }
}
