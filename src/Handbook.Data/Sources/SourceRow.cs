using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace Handbook.Data.Sources;

/// <summary>
/// One row as its source gave it: a JSON object in UTF-8 that is parsed only by whoever needs it, so that readers stay
/// sequential and parsing runs on all threads.
/// </summary>
/// <param name="Json">The object, or nothing when the source already knows the row is broken.</param>
/// <param name="Place">Where it stands.</param>
/// <param name="Index">Its number in the source, from 0.</param>
/// <param name="Problem">Why the row is broken, or null.</param>
public readonly record struct SourceRow(ReadOnlyMemory<byte> Json, RowPlace Place, long Index, string? Problem = null)
{
    /// <summary>How readers write rows: characters as they are, since nothing but a parser reads them.</summary>
    internal static readonly JsonWriterOptions WriterOptions = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true,
    };

    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 128 };

    /// <summary>Parses the row; dispose the document when done.</summary>
    /// <remarks>NaN and infinities, as Python writes them, are the texts <c>NaN</c>, <c>Infinity</c> and <c>-Infinity</c>.</remarks>
    /// <exception cref="BadRowException">It is broken: not UTF-8, not JSON, not an object, or with half a surrogate pair.</exception>
    public JsonDocument Parse()
    {
        if (Problem is not null)
            throw new BadRowException(Place, null, Problem);
        if (!Utf8.IsValid(Json.Span))
            throw new BadRowException(Place, null, InvalidUtf8(Json.Span));
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(NonFiniteNumbers.AsTexts(Json), Options);
        }
        catch (JsonException e)
        {
            throw new BadRowException(Place, null,
                FormattableString.Invariant($"not valid JSON at column {e.BytePositionInLine + 1}: {Reason(e)}"));
        }
        var problem = document.RootElement.ValueKind == JsonValueKind.Object ? HalfSurrogates.Find(Json.Span)
            : $"a row is {JsonKind.Of(document.RootElement)}; expected an object with a key for each column";
        if (problem is null)
            return document;
        document.Dispose();
        throw new BadRowException(Place, null, problem);
    }

    /// <summary>Says which byte is not UTF-8.</summary>
    internal static string InvalidUtf8(ReadOnlySpan<byte> bytes)
    {
        var good = 0;
        while (good < bytes.Length
            && System.Text.Rune.DecodeFromUtf8(bytes[good..], out _, out var consumed) == System.Buffers.OperationStatus.Done)
            good += consumed;
        return FormattableString.Invariant($"invalid UTF-8: byte 0x{bytes[good]:X2} at column {good + 1}");
    }

    private static string Reason(JsonException e)
    {
        if (e.Message.StartsWith("Expected depth to be zero", StringComparison.Ordinal))
            return "the line ends inside an object or a list; one object a line, or one list of objects, is expected";
        return BrokenJson.Reason(e);
    }
}
