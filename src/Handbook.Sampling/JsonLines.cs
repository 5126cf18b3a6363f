using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Handbook.Chat;
using Handbook.Data.Examples;

namespace Handbook.Sampling;

/// <summary>Rows of datasets as lines of JSON, readable by people: letters of all scripts as they are.</summary>
internal static class JsonLines
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes a row and a line feed.</summary>
    public static void Write(Stream stream, JsonObject row)
    {
        using (var writer = new Utf8JsonWriter(stream, Options))
            row.WriteTo(writer);
        stream.WriteByte((byte)'\n');
    }

    /// <summary>Writes a file of rows, whole or not at all.</summary>
    public static void WriteFile(string path, IEnumerable<JsonObject> rows) => AtomicFile.Write(path, stream =>
    {
        foreach (var row in rows)
            Write(stream, row);
    });

    /// <summary>Messages as datasets hold them, or the plain text.</summary>
    public static JsonNode Turns(Turns turns) => turns.Messages is { } messages ? Messages(messages) : JsonValue.Create(turns.Text!);

    /// <summary>Messages as datasets hold them.</summary>
    public static JsonArray Messages(IEnumerable<Message> messages) => new([.. messages.Select(Message)]);

    /// <summary>A completion in the form of its prompt: a turn of the assistant, or a plain text.</summary>
    public static JsonNode Completion(Turns prompt, SampledCompletion completion) =>
        prompt.Messages is null ? JsonValue.Create(completion.Text) : new JsonArray(Message(completion.AsMessage()));

    private static JsonObject Message(Message message)
    {
        var json = new JsonObject { ["role"] = message.Role };
        if (message.Content is not null)
            json["content"] = message.Content;
        foreach (var (name, value) in message.Extra ?? [])
            json[name] = value?.DeepClone();
        return json;
    }
}
