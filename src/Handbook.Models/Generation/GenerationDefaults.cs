using System.Text.Json;
using System.Text.Json.Nodes;
using Handbook.Models.Configuration;

namespace Handbook.Models.Generation;

/// <summary>
/// What a model's <c>generation_config.json</c> says of generation, as its makers mean it to be used. As in vLLM, what the file leaves
/// out has no default of its own, and <c>do_sample</c> is not read: who samples wants to.
/// </summary>
public sealed record GenerationDefaults
{
    // Settings that change what transformers generates, and that nothing here computes, each with the value that changes nothing.
    private static readonly (string Name, double? Neutral)[] Others =
    [
        ("typical_p", 1), ("epsilon_cutoff", 0), ("eta_cutoff", 0), ("no_repeat_ngram_size", 0), ("encoder_repetition_penalty", 1),
        ("num_beams", 1), ("min_length", 0), ("min_new_tokens", 0), ("penalty_alpha", 0), ("guidance_scale", 1), ("bad_words_ids", null),
        ("suppress_tokens", null), ("begin_suppress_tokens", null), ("forced_bos_token_id", null), ("forced_eos_token_id", null),
        ("sequence_bias", null), ("exponential_decay_length_penalty", null), ("watermarking_config", null),
    ];

    /// <summary>Of a model that has no such file.</summary>
    public static GenerationDefaults None { get; } = new();

    /// <summary>Tokens that end a text; none when the file does not say.</summary>
    public IReadOnlyList<int> EosTokenIds { get; private init; } = [];

    /// <summary>See <see cref="SamplingOptions.Temperature"/>; null when the file does not say.</summary>
    public double? Temperature { get; private init; }

    /// <summary>See <see cref="SamplingOptions.TopK"/>.</summary>
    public int? TopK { get; private init; }

    /// <summary>See <see cref="SamplingOptions.TopP"/>.</summary>
    public double? TopP { get; private init; }

    /// <summary>See <see cref="SamplingOptions.MinP"/>.</summary>
    public double? MinP { get; private init; }

    /// <summary>See <see cref="SamplingOptions.RepetitionPenalty"/>.</summary>
    public double? RepetitionPenalty { get; private init; }

    /// <summary>Texts that end a completion; null when the file does not say.</summary>
    public IReadOnlyList<string>? StopStrings { get; private init; }

    /// <summary>Settings of the file that would change what is generated and have no effect here.</summary>
    public IReadOnlyList<string> Unread { get; private init; } = [];

    /// <summary>Reads the file of a model folder.</summary>
    /// <exception cref="UserErrorException">It is no JSON object, or a value is of another type or outside its range.</exception>
    public static GenerationDefaults Read(string folder)
    {
        var path = Path.Combine(folder, ConfigFile.GenerationName);
        return File.Exists(path) ? Of(ConfigFile.Read(path), path) : None;
    }

    /// <summary>Reads the file's content.</summary>
    /// <param name="json">The content; null for none.</param>
    /// <param name="path">Where it stands, for messages.</param>
    /// <exception cref="UserErrorException">A value is of another type or outside its range.</exception>
    public static GenerationDefaults Of(JsonObject? json, string path) => json is null ? None : new GenerationDefaults
    {
        EosTokenIds = TokenIds(json, path),
        Temperature = Number(json, path, "temperature", "a number of 0 or more", value => value >= 0),
        // Files have 0, -1 and null for all tokens.
        TopK = (int?)Number(
            json, path, "top_k", "a whole number", value => value == Math.Floor(value) && value is >= -1 and <= int.MaxValue) is { } count
            ? Math.Max(count, 0)
            : null,
        TopP = Number(json, path, "top_p", "a number above 0, up to 1", value => value is > 0 and <= 1),
        MinP = Number(json, path, "min_p", "a number from 0 to 1", value => value is >= 0 and <= 1),
        RepetitionPenalty = Number(json, path, "repetition_penalty", "a number above 0", value => value > 0),
        StopStrings = Texts(json, path),
        Unread = [.. Others.Where(other => json[other.Name] is { } value && !(other.Neutral is { } neutral && AsNumber(value) == neutral)
            && value is not JsonArray { Count: 0 }).Select(other => other.Name)],
    };

    private static double? Number(JsonObject json, string path, string key, string expected, Func<double, bool> fits) => json[key] switch
    {
        null => null,
        var node => AsNumber(node) is { } number && fits(number) ? number : throw Wrong(path, key, expected, node),
    };

    private static double? AsNumber(JsonNode node) =>
        node is JsonValue value && value.GetValueKind() == JsonValueKind.Number && value.TryGetValue<double>(out var number)
        && double.IsFinite(number) ? number : null;

    private static IReadOnlyList<int> TokenIds(JsonObject json, string path)
    {
        const string Key = "eos_token_id";
        if (json[Key] is not { } node)
            return [];
        var ids = (node is JsonArray list ? list.ToArray() : [node]).Select(item => item is null ? null : AsNumber(item)).ToList();
        return ids.TrueForAll(id => id is >= 0 and <= int.MaxValue && id == Math.Floor(id.Value))
            ? [.. ids.Select(id => (int)id!.Value)] : throw Wrong(path, Key, "a token id or a list of them", node);
    }

    private static IReadOnlyList<string>? Texts(JsonObject json, string path)
    {
        const string Key = "stop_strings";
        if (json[Key] is not { } node)
            return null;
        var texts = (node is JsonArray list ? list.ToArray() : [node])
            .Select(item => item is JsonValue value && value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : null)
            .ToList();
        return texts.TrueForAll(text => !string.IsNullOrEmpty(text))
            ? [.. texts.Select(text => text!)]
            : throw Wrong(path, Key, "a text or a list of texts, none of them empty", node);
    }

    private static UserErrorException Wrong(string path, string key, string expected, JsonNode found)
    {
        var text = found.ToJsonString();
        return new UserErrorException($"{path}: {key}: expected {expected}, found {(text.Length > 60 ? text[..60] + "..." : text)}.");
    }
}
