using System.Text.Json;
using Handbook.Tokenizers.Files;

namespace Handbook.Tokenizers.Training;

/// <summary>Writes a trained byte-level BPE as tokenizer.json.</summary>
internal static class TrainedTokenizer
{
    /// <summary>The file, UTF-8.</summary>
    public static byte[] Write(BpeTrainerOptions options, IReadOnlyList<string> tokens, IReadOnlyList<(int Left, int Right)> merges)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, TokenizerWriter.Options))
        {
            writer.WriteStartObject();
            writer.WriteString("version", "1.0");
            writer.WriteNull("truncation");
            writer.WriteNull("padding");
            TokenizerWriter.WriteAddedTokens(writer,
                options.SpecialTokens.Select((content, id) => KeyValuePair.Create(id, new AddedToken(content) { Special = true })));
            writer.WriteNull("normalizer");
            WritePreTokenizer(writer, options.SplitDigits);
            WriteByteLevel(writer, "post_processor", trimOffsets: false);
            WriteByteLevel(writer, "decoder", trimOffsets: true);
            WriteModel(writer, tokens, merges);
            writer.WriteEndObject();
        }
        return stream.ToArray();
    }

    private static void WritePreTokenizer(Utf8JsonWriter writer, bool splitDigits)
    {
        if (!splitDigits)
        {
            WriteByteLevel(writer, "pre_tokenizer", trimOffsets: true);
            return;
        }
        writer.WriteStartObject("pre_tokenizer");
        writer.WriteString("type", "Sequence");
        writer.WriteStartArray("pretokenizers");
        writer.WriteStartObject();
        writer.WriteString("type", "Digits");
        writer.WriteBoolean("individual_digits", true);
        writer.WriteEndObject();
        WriteByteLevel(writer, null, trimOffsets: true);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteByteLevel(Utf8JsonWriter writer, string? key, bool trimOffsets)
    {
        if (key is null)
            writer.WriteStartObject();
        else
            writer.WriteStartObject(key);
        writer.WriteString("type", "ByteLevel");
        writer.WriteBoolean("add_prefix_space", false);
        writer.WriteBoolean("trim_offsets", trimOffsets);
        writer.WriteBoolean("use_regex", true);
        writer.WriteEndObject();
    }

    private static void WriteModel(Utf8JsonWriter writer, IReadOnlyList<string> tokens, IReadOnlyList<(int Left, int Right)> merges)
    {
        writer.WriteStartObject("model");
        writer.WriteString("type", "BPE");
        foreach (var key in (string[])["dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix"])
            writer.WriteNull(key);
        foreach (var key in (string[])["fuse_unk", "byte_fallback", "ignore_merges"])
            writer.WriteBoolean(key, false);
        writer.WriteStartObject("vocab");
        for (var id = 0; id < tokens.Count; id++)
            writer.WriteNumber(tokens[id], id);
        writer.WriteEndObject();
        // The older spelling "left right": every version of the library reads it, and byte-level tokens hold no space.
        writer.WriteStartArray("merges");
        foreach (var (left, right) in merges)
            writer.WriteStringValue($"{tokens[left]} {tokens[right]}");
        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
