using System.Text.Json;

namespace Handbook.Data.Sources;

/// <summary>Columns of JSON within columnar files: values of no fixed form, kept as text.</summary>
internal static class EmbeddedJson
{
    // Rows are parsed 128 levels deep.
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 96 };

    /// <summary>Writes the value that a text holds; what is no JSON stays the text it is, as the datasets library has it.</summary>
    /// <exception cref="ArgumentException">The text is not UTF-8.</exception>
    public static void Write(Utf8JsonWriter writer, ReadOnlySpan<byte> text)
    {
        if (Parse(text) is not { } document)
        {
            writer.WriteStringValue(text);
            return;
        }
        using (document)
            document.RootElement.WriteTo(writer);
    }

    private static JsonDocument? Parse(ReadOnlySpan<byte> text)
    {
        try
        {
            return JsonDocument.Parse(NonFiniteNumbers.AsTexts(text.ToArray()), Options);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
