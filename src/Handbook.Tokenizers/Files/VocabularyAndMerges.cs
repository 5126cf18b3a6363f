using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Handbook.Tokenizers.Files;

/// <summary>
/// Turns <c>vocab.json</c> and <c>merges.txt</c>, the older form of byte-level BPE, into tokenizer.json as transformers'
/// GPT2Converter and Qwen2Converter do.
/// </summary>
internal static class VocabularyAndMerges
{
    /// <summary>The file, UTF-8.</summary>
    public static byte[] Convert(byte[] vocabulary, string merges, TokenizerSettings settings)
    {
        var isQwen = (settings.Other["tokenizer_class"] as JsonValue)?.TryGetValue(out string? name) == true
            && name!.StartsWith("Qwen2", StringComparison.Ordinal);
        using var document = JsonDocument.Parse(vocabulary);
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, TokenizerWriter.Options))
        {
            writer.WriteStartObject();
            writer.WriteString("version", "1.0");
            writer.WriteNull("truncation");
            writer.WriteNull("padding");
            TokenizerWriter.WriteAddedTokens(writer, SpecialTokens(settings, new JsonSection(document.RootElement, "vocab")));
            Write(writer, "normalizer", isQwen ? new JsonObject { ["type"] = "NFC" } : null);
            Write(writer, "pre_tokenizer", isQwen ? QwenWords() : ByteLevel(useRegex: true));
            Write(writer, "post_processor", ByteLevel(useRegex: !isQwen));
            Write(writer, "decoder", ByteLevel(useRegex: !isQwen));
            WriteModel(writer, document.RootElement, merges);
            writer.WriteEndObject();
        }
        return stream.ToArray();
    }

    /// <summary>The named special tokens that the vocabulary has; others are added from tokenizer_config.json as for any folder.</summary>
    private static IEnumerable<KeyValuePair<int, AddedToken>> SpecialTokens(TokenizerSettings settings, JsonSection vocabulary) =>
        ((string?[])[settings.BosToken, settings.EosToken, settings.PadToken, settings.UnkToken])
            .OfType<string>().Distinct(StringComparer.Ordinal)
            .Where(token => vocabulary.Find(token) is not null)
            .Select(token => KeyValuePair.Create(vocabulary.Int(token), new AddedToken(token) { Special = true }))
            .OrderBy(entry => entry.Key).ToList();

    private static JsonObject ByteLevel(bool useRegex) => new()
    {
        ["type"] = "ByteLevel",
        ["add_prefix_space"] = false,
        ["trim_offsets"] = false,
        ["use_regex"] = useRegex,
    };

    private static JsonObject QwenWords() => new()
    {
        ["type"] = "Sequence",
        ["pretokenizers"] = new JsonArray(
            new JsonObject
            {
                ["type"] = "Split",
                ["pattern"] = new JsonObject { ["Regex"] = Scanning.TiktokenScanner.PatternOfOneDigit },
                ["behavior"] = "Isolated",
                ["invert"] = false,
            },
            ByteLevel(useRegex: false)),
    };

    private static void Write(Utf8JsonWriter writer, string key, JsonObject? value)
    {
        writer.WritePropertyName(key);
        if (value is null)
            writer.WriteNullValue();
        else
            value.WriteTo(writer);
    }

    private static void WriteModel(Utf8JsonWriter writer, JsonElement vocabulary, string merges)
    {
        writer.WriteStartObject("model");
        writer.WriteString("type", "BPE");
        writer.WritePropertyName("vocab");
        vocabulary.WriteTo(writer);
        writer.WriteStartArray("merges");
        foreach (var line in merges.AsSpan().EnumerateLines())
        {
            if (!line.IsEmpty && !line.StartsWith("#version"))
                writer.WriteStringValue(line);
        }
        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
