using System.Text.Json;
using Handbook.Tokenizers;

namespace Handbook.Gguf.Vocabularies;

/// <summary>The sections of a <c>tokenizer.json</c> that decide what llama.cpp calls the tokenizer.</summary>
internal sealed class TokenizerFile
{
    private readonly JsonElement root;

    /// <summary>Takes a tokenizer that has been read, so its file is sound.</summary>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="path">Where it was read, for messages.</param>
    public TokenizerFile(Tokenizer tokenizer, string path)
    {
        (Tokenizer, Path) = (tokenizer, path);
        using var document = JsonDocument.Parse(tokenizer.Json);
        root = document.RootElement.Clone();
    }

    /// <summary>The tokenizer.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>Where it was read.</summary>
    public string Path { get; }

    /// <summary>The model section.</summary>
    public JsonElement Model => root.GetProperty("model");

    /// <summary>The token for what is not in the vocabulary: the model's own, else the one that the settings name; null for none.</summary>
    public int? UnknownId => Model.TryGetProperty("unk_id", out var id) && id.ValueKind == JsonValueKind.Number ? id.GetInt32()
        : Text(Model, "unk_token") is { } token ? Tokenizer.TokenToId(token) : Tokenizer.UnkId;

    /// <summary>The normalizers, in order, sequences taken apart.</summary>
    public IReadOnlyList<JsonElement> Normalizers => Steps("normalizer", "normalizers");

    /// <summary>The pre-tokenizers, in order, sequences taken apart.</summary>
    public IReadOnlyList<JsonElement> PreTokenizers => Steps("pre_tokenizer", "pretokenizers");

    /// <summary>The merges of a BPE model, first the most frequent.</summary>
    public IEnumerable<(string Left, string Right)> Merges()
    {
        foreach (var merge in Model.GetProperty("merges").EnumerateArray())
        {
            if (merge.ValueKind == JsonValueKind.Array)
            {
                yield return (merge[0].GetString()!, merge[1].GetString()!);
                continue;
            }
            var text = merge.GetString()!;
            var space = text.IndexOf(' ', 1);
            yield return (text[..space], text[(space + 1)..]);
        }
    }

    /// <summary>The <c>type</c> of a section; empty where old files have none.</summary>
    public static string TypeOf(JsonElement section) => Text(section, "type") ?? "";

    /// <summary>A text of a section, or null.</summary>
    public static string? Text(JsonElement section, string key) =>
        section.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>A flag of a section.</summary>
    public static bool Flag(JsonElement section, string key, bool absent) =>
        section.TryGetProperty(key, out var value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? value.GetBoolean() : absent;

    /// <summary>The pattern of a Split or Replace: a regular expression or a string.</summary>
    public static (string? Regex, string? String) Pattern(JsonElement section) => section.TryGetProperty("pattern", out var pattern)
        && pattern.ValueKind == JsonValueKind.Object ? (Text(pattern, "Regex"), Text(pattern, "String")) : (null, Text(section, "pattern"));

    /// <summary>What cannot be written, in one line.</summary>
    public UserErrorException Refused(string reason) => new($"{Path}: {reason}; such a tokenizer cannot be written as GGUF.");

    private List<JsonElement> Steps(string key, string list)
    {
        var steps = new List<JsonElement>();
        if (root.TryGetProperty(key, out var section) && section.ValueKind == JsonValueKind.Object)
            Flatten(section, list, steps);
        return steps;
    }

    private static void Flatten(JsonElement section, string list, List<JsonElement> steps)
    {
        if (TypeOf(section) != "Sequence")
        {
            steps.Add(section);
            return;
        }
        foreach (var step in section.GetProperty(list).EnumerateArray())
            Flatten(step, list, steps);
    }
}
