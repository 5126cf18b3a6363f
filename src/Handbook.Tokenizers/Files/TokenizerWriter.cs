using System.Text.Encodings.Web;
using System.Text.Json;

namespace Handbook.Tokenizers.Files;

/// <summary>Writes tokenizer.json as the library does: two spaces of indent, no escapes but those JSON needs.</summary>
internal static class TokenizerWriter
{
    /// <summary>How JSON is written.</summary>
    public static JsonWriterOptions Options => new()
    {
        Indented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The file with another list of added tokens and everything else as it was.</summary>
    public static byte[] WithAddedTokens(byte[] json, IEnumerable<KeyValuePair<int, AddedToken>> tokens) =>
        With(json, "added_tokens", writer => WriteAddedTokens(writer, tokens));

    /// <summary>The file with another section and everything else as it was.</summary>
    public static byte[] WithSection(byte[] json, string name, JsonElement section) => With(json, name, writer =>
    {
        writer.WritePropertyName(name);
        section.WriteTo(writer);
    });

    private static byte[] With(byte[] json, string name, Action<Utf8JsonWriter> write)
    {
        using var document = JsonDocument.Parse(json);
        using var stream = new MemoryStream(json.Length + 1024);
        using (var writer = new Utf8JsonWriter(stream, Options))
        {
            writer.WriteStartObject();
            foreach (var property in document.RootElement.EnumerateObject())
            {
                if (property.NameEquals(name))
                    write(writer);
                else
                    property.WriteTo(writer);
            }
            if (!document.RootElement.TryGetProperty(name, out _))
                write(writer);
            writer.WriteEndObject();
        }
        return stream.ToArray();
    }

    /// <summary>Writes the list <c>added_tokens</c>.</summary>
    public static void WriteAddedTokens(Utf8JsonWriter writer, IEnumerable<KeyValuePair<int, AddedToken>> tokens)
    {
        writer.WriteStartArray("added_tokens");
        foreach (var (id, token) in tokens)
        {
            writer.WriteStartObject();
            writer.WriteNumber("id", id);
            writer.WriteString("content", token.Content);
            writer.WriteBoolean("single_word", token.SingleWord);
            writer.WriteBoolean("lstrip", token.StripLeft);
            writer.WriteBoolean("rstrip", token.StripRight);
            writer.WriteBoolean("normalized", token.Normalized);
            writer.WriteBoolean("special", token.Special);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }
}
