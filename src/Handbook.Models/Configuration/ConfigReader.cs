using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Handbook.Models.Configuration;

/// <summary>
/// Reads fields of a <c>config.json</c> with their types, remembers which were asked for, and at the end refuses what nobody
/// asked for and could change the computation. All problems of a file are reported together.
/// </summary>
internal sealed class ConfigReader
{
    // Written by transformers into every config; none of them changes what a decoder computes.
    private static readonly HashSet<string> Harmless =
    [
        "model_type", "architectures", "torch_dtype", "dtype", "transformers_version", "use_cache", "auto_map", "_name_or_path",
        "_attn_implementation_autoset", "_attn_implementation", "attn_implementation", "bos_token_id", "eos_token_id", "pad_token_id",
        "sep_token_id", "decoder_start_token_id", "tokenizer_class", "prefix", "task_specific_params", "problem_type", "finetuning_task",
        "id2label", "label2id", "num_labels", "output_hidden_states", "output_attentions", "return_dict", "torchscript", "use_bfloat16",
        "tf_legacy_loss", "chunk_size_feed_forward", "max_length", "min_length", "do_sample", "early_stopping", "num_beams",
        "num_beam_groups", "diversity_penalty", "temperature", "top_k", "top_p", "typical_p", "repetition_penalty", "length_penalty",
        "no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "bad_words_ids", "num_return_sequences", "output_scores",
        "return_dict_in_generate", "forced_bos_token_id", "forced_eos_token_id", "remove_invalid_values",
        "exponential_decay_length_penalty", "suppress_tokens", "begin_suppress_tokens", "transformers.js_config", "initializer_range",
        "keys_to_ignore_at_inference", "base_model_tp_plan", "base_model_pp_plan", "unsloth_fixed", "is_llama_config",
    ];

    private const int MostLayers = 1_000_000;

    private readonly JsonObject json;
    private readonly string path;
    private readonly HashSet<string> asked = [];
    private readonly List<string> problems = [];
    private readonly HashSet<string> faulty = [];

    internal ConfigReader(JsonObject json, string path)
    {
        this.json = json;
        this.path = path;
    }

    internal JsonObject Json => json;

    /// <summary>Name of the file for messages.</summary>
    internal string Path => path;

    /// <summary>A whole number of at least <paramref name="least"/>; the default when absent, a problem when there is none.</summary>
    internal int Integer(string key, int? absent = null, int least = 1)
    {
        if (Field(key) is not { } node)
            return absent ?? Problem(key, "is missing", least);
        return node is JsonValue value && value.GetValueKind() == JsonValueKind.Number && value.TryGetValue<int>(out var number)
            && number >= least
            ? number
            : Problem(key, $"must be a whole number of at least {least}, got {Text(node)}", least);
    }

    /// <summary>A number of layers: each has a record, so a stranger's billion is refused before the list is made.</summary>
    internal int LayerCount(string key, int absent)
    {
        var count = Integer(key, absent);
        return count <= MostLayers ? count : Problem(key, $"must be at most {MostLayers}, got {count}", 1);
    }

    /// <summary>A whole number or null; absent is null.</summary>
    internal int? OptionalInteger(string key, int least = 0) => Field(key) is null ? null : Integer(key, null, least);

    /// <summary>A whole number of at least 1 or null; absent is the default.</summary>
    internal int? OptionalIntegerOr(string key, int? absent) => json.ContainsKey(key) ? OptionalInteger(key, least: 1) : absent;

    /// <summary>A finite number.</summary>
    internal double Number(string key, double? absent = null)
    {
        if (Field(key) is not { } node)
            return absent ?? Problem(key, "is missing", 1.0);
        return Finite(node) ?? Problem(key, $"must be a number, got {Text(node)}", 1.0);
    }

    /// <summary>A finite number or null; absent is the default.</summary>
    internal double? OptionalNumber(string key, double? absent) =>
        json.ContainsKey(key) ? Field(key) is null ? null : Number(key) : absent;

    /// <summary>A list of texts, or null when it is absent or null.</summary>
    internal IReadOnlyList<string>? Strings(string key)
    {
        if (Field(key) is not { } node)
            return null;
        return node is JsonArray list && list.All(item => item?.GetValueKind() == JsonValueKind.String)
            ? [.. list.Select(item => item!.GetValue<string>())]
            : Problem<IReadOnlyList<string>?>(key, $"must be a list of texts, got {Text(node)}", null);
    }

    /// <summary>A text.</summary>
    internal string String(string key, string absent)
    {
        if (Field(key) is not { } node)
            return absent;
        return node.GetValueKind() == JsonValueKind.String
            ? node.GetValue<string>() : Problem(key, $"must be a text, got {Text(node)}", absent);
    }

    /// <summary>A probability below 1.</summary>
    internal double Probability(string key, double absent)
    {
        var number = Number(key, absent);
        return number is >= 0 and < 1 ? number : Problem(key, FormattableString.Invariant($"must lie in [0, 1), got {number}"), 0.0);
    }

    /// <summary>A switch.</summary>
    internal bool Flag(string key, bool absent)
    {
        if (Field(key) is not { } node)
            return absent;
        return node.GetValueKind() is JsonValueKind.True or JsonValueKind.False
            ? node.GetValue<bool>()
            : Problem(key, $"must be true or false, got {Text(node)}", absent);
    }

    /// <summary>One of the names of a table.</summary>
    internal T Choice<T>(string key, string absent, IReadOnlyDictionary<string, T> table)
    {
        var name = Field(key) is not { } node ? absent : node.GetValueKind() == JsonValueKind.String ? node.GetValue<string>() : Text(node);
        return table.TryGetValue(name, out var value)
            ? value
            : Problem(key,
                $"is \"{name}\", which is not supported; {string.Join(", ", table.Keys)} are.{NearestName.Hint(name, table.Keys)}",
                table[absent]);
    }

    /// <summary>A switch that only one position of is carried here, as it is when absent.</summary>
    internal void Expect(string key, bool value)
    {
        if (Flag(key, value) != value)
            Problem(key, $"is {Text(!value)}, which is not supported", 0);
        static string Text(bool flag) => flag ? "true" : "false";
    }

    /// <summary>A number that only one value of is carried here, as it is when absent.</summary>
    internal void Expect(string key, double value)
    {
        if (Number(key, value) != value)
            Problem(key, FormattableString.Invariant($"is not {value}, which is not supported"), 0);
    }

    /// <summary>Numbers of layers; absent and null are none.</summary>
    internal IReadOnlyList<int> LayerNumbers(string key)
    {
        if (Field(key) is not { } node)
            return [];
        return node is JsonArray list
            && list.All(item => item is JsonValue value && value.GetValueKind() == JsonValueKind.Number && value.TryGetValue<int>(out _))
            ? [.. list.Select(item => item!.GetValue<int>())]
            : Problem<IReadOnlyList<int>>(key, $"must be a list of numbers of layers, got {Text(node)}", []);
    }

    /// <summary>Token ids: none, one, or a list.</summary>
    internal IReadOnlyList<int> TokenIds(string key)
    {
        if (Field(key) is not { } node)
            return [];
        var nodes = node is JsonArray list ? list.ToArray() : [node];
        var ids = new List<int>();
        foreach (var item in nodes)
        {
            if (item is JsonValue value && value.GetValueKind() == JsonValueKind.Number && value.TryGetValue<int>(out var id))
                ids.Add(id);
            else
                return Problem<IReadOnlyList<int>>(key, $"must be a token id or a list of them, got {Text(node)}", []);
        }
        return ids;
    }

    /// <summary>An object's own reader, or null when it is absent or null. Its problems count among this one's.</summary>
    internal JsonObject? Object(string key)
    {
        if (Field(key) is not { } node)
            return null;
        return node as JsonObject ?? Problem<JsonObject?>(key, $"must be an object, got {Text(node)}", null);
    }

    /// <summary>Marks a field as understood; it changes nothing at any value.</summary>
    internal void Ignore(params ReadOnlySpan<string> keys)
    {
        foreach (var key in keys)
            asked.Add(key);
    }

    /// <summary>True when these fields were read without a problem, so that what follows from them is theirs.</summary>
    internal bool AreSound(params ReadOnlySpan<string> keys)
    {
        foreach (var key in keys)
        {
            if (faulty.Contains(key))
                return false;
        }
        return true;
    }

    /// <summary>Notes a problem with a field and goes on with a substitute.</summary>
    internal T Problem<T>(string key, string what, T substitute)
    {
        faulty.Add(key);
        problems.Add($"{path}: {key} {what}");
        return substitute;
    }

    /// <summary>Throws all problems at once, or returns the unknown fields that can hardly matter.</summary>
    internal IReadOnlyList<string> Finish(string modelType)
    {
        var unknown = new List<string>();
        foreach (var (key, node) in json)
        {
            if (asked.Contains(key) || Harmless.Contains(key) || IsNeutral(node))
                continue;
            if (node!.GetValueKind() == JsonValueKind.String || key.StartsWith("unsloth", StringComparison.Ordinal))
                unknown.Add(key);
            else
                problems.Add(
                    $"{path}: {key} ({Text(node)}) is not a field that {modelType} has here, and it may change the computation. Remove it "
                        + $"if it does not.{NearestName.Hint(key, asked)}");
        }
        return problems.Count > 0 ? throw new UserErrorException(problems) : unknown;
    }

    /// <summary>A field's value; null when absent or null.</summary>
    private JsonNode? Field(string key)
    {
        asked.Add(key);
        return json.TryGetPropertyValue(key, out var node) ? node : null;
    }

    /// <summary>True for a value that says what the field's absence says.</summary>
    internal static bool IsNeutral(JsonNode? node) => node switch
    {
        null => true,
        JsonObject fields => fields.Count == 0,
        JsonArray items => items.Count == 0,
        _ => node.GetValueKind() == JsonValueKind.False,
    };

    private static double? Finite(JsonNode node) =>
        node.GetValueKind() == JsonValueKind.Number
        && double.TryParse(node.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
            ? number
            : null;

    private static string Text(JsonNode node)
    {
        var text = node.ToJsonString();
        return text.Length > 60 ? text[..60] + "..." : text;
    }
}
