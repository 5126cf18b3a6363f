using System.Text;
using System.Text.Json;

namespace Handbook.Tokenizers.Training;

/// <summary>The texts of files that a tokenizer is trained on.</summary>
public static class CorpusFiles
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    private static readonly (string Name, byte[] Begins)[] Packed =
    [
        ("gzip", [0x1F, 0x8B]), ("zstd", [0x28, 0xB5, 0x2F, 0xFD]), ("xz", [0xFD, 0x37, 0x7A, 0x58, 0x5A]), ("bzip2", [.. "BZh"u8]),
        ("zip", [.. "PK\u0003\u0004"u8]),
    ];

    /// <summary>
    /// A text file's lines with their line breaks, as Hugging Face's trainer takes them; of a <c>.jsonl</c> file the strings
    /// <c>text</c>, <c>prompt</c> and <c>completion</c> of each row and the <c>content</c> of its <c>messages</c>.
    /// </summary>
    /// <exception cref="UserErrorException">
    /// The file is missing, empty, not UTF-8 or has a row that is not JSON; the message names file and line.
    /// </exception>
    public static IEnumerable<string> Read(string path)
    {
        var number = 0;
        foreach (var line in Lines(path))
        {
            number++;
            if (!path.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase))
                yield return line;
            else
                foreach (var text in TextsOfRow(line, path, number))
                    yield return text;
        }
        if (number == 0)
            throw new UserErrorException($"{path}: is empty; expected text to train on.");
    }

    private static IEnumerable<string> Lines(string path)
    {
        string content;
        var bytes = OrdinaryFile.ReadBytes(path, OrdinaryFile.TextLimit);
        if (Array.Find(Packed, packed => bytes.AsSpan().StartsWith(packed.Begins)).Name is { } format)
            throw new UserErrorException($"{path}: is compressed ({format}); expected text: unpack it first.");
        try
        {
            content = Strict.GetString(bytes);
        }
        catch (DecoderFallbackException exception)
        {
            throw new UserErrorException($"{path}: is not UTF-8 (byte {exception.Index}).", exception);
        }
        for (var start = 0; start < content.Length;)
        {
            var lineBreak = content.IndexOf('\n', start);
            var end = lineBreak < 0 ? content.Length : lineBreak + 1;
            yield return content[start..end];
            start = end;
        }
    }

    private static List<string> TextsOfRow(string line, string path, int number)
    {
        if (string.IsNullOrWhiteSpace(line))
            return [];
        try
        {
            using var document = JsonDocument.Parse(line.TrimEnd('\r', '\n'));
            var texts = new List<string>();
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new UserErrorException(
                    $"{path}:{number}: is not a JSON object; a row is one, with its text under text, prompt, completion or messages.");
            Collect(document.RootElement, texts);
            return texts;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new UserErrorException(
                $"{path}:{number}: is not a JSON object: "
                    + $"{(exception is JsonException broken ? BrokenJson.Reason(broken) : BrokenJson.Explain(exception))}.", exception);
        }
    }

    private static void Collect(JsonElement row, List<string> texts)
    {
        foreach (var property in row.EnumerateObject())
        {
            if (property.Value.ValueKind == JsonValueKind.String && property.Name is "text" or "prompt" or "completion" or "content")
                texts.Add(property.Value.GetString()!);
            if (property.Name != "messages" || property.Value.ValueKind != JsonValueKind.Array)
                continue;
            foreach (var message in property.Value.EnumerateArray())
                Collect(message, texts);
        }
    }
}
