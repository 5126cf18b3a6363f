using System.Text.Json;
using System.Text.Json.Nodes;

namespace Handbook.Tokenizers.Files;

/// <summary>
/// The special tokens that <c>tokenizer_config.json</c> and <c>special_tokens_map.json</c> name. Where the configuration lists its
/// added tokens it decides; in an older folder the map does.
/// </summary>
internal sealed class SpecialTokensReader(string folder, JsonObject? config, JsonObject? map)
{
    /// <summary>The named tokens in transformers' order.</summary>
    public static readonly string[] Names = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

    private static readonly string[] Lists = ["additional_special_tokens", "extra_special_tokens"];

    /// <summary>What transformers 4's Llama classes call their tokens where no file says otherwise.</summary>
    private static readonly Dictionary<string, string> OfLlama = new(StringComparer.Ordinal)
    {
        ["bos_token"] = "<s>", ["eos_token"] = "</s>", ["unk_token"] = "<unk>",
    };

    private readonly (JsonObject? Object, string Path)[] _order = Order(
        (config, Path.Combine(folder, TokenizerFolder.ConfigFile)), (map, Path.Combine(folder, TokenizerFolder.SpecialTokensFile)));

    private static (JsonObject? Object, string Path)[] Order((JsonObject? Object, string) config, (JsonObject?, string) map) =>
        config.Object?["added_tokens_decoder"] is null ? [map, config] : [config, map];

    /// <summary>The text of a named token; null when it has none.</summary>
    /// <exception cref="UserErrorException">It is neither a string nor an object with content.</exception>
    public string? Text(string name) => Find(name)?.Content;

    /// <summary>All of them, each once.</summary>
    /// <exception cref="UserErrorException">One is neither a string nor an object with content.</exception>
    public List<AddedToken> All() => Names.Select(Find).OfType<AddedToken>()
        .Concat(Lists.SelectMany(key => _order.SelectMany(source => TokenizerFolder.Guard(source.Path,
            () => ReadList(source.Object?[key], key).ToList()))))
        .DistinctBy(token => token.Content).ToList();

    private AddedToken? Find(string name) =>
        _order.Select(source => TokenizerFolder.Guard(source.Path, () => Read(source.Object?[name], name)))
            .FirstOrDefault(token => token is not null)
        ?? (IsLlama && OfLlama.TryGetValue(name, out var usual) && !Array.Exists(_order, source => source.Object?.ContainsKey(name) == true)
            ? new AddedToken(usual) { Special = true } : null);

    private bool IsLlama => config?["tokenizer_class"] is JsonValue value
        && value.ToString() is ("LlamaTokenizer" or "LlamaTokenizerFast" or "CodeLlamaTokenizer" or "CodeLlamaTokenizerFast");

    /// <summary>A list, or transformers' map from names to tokens.</summary>
    private static IEnumerable<AddedToken> ReadList(JsonNode? node, string key) => node switch
    {
        null => [],
        JsonArray list => list.Select((item, i) => Read(item, $"{key}[{i}]")).OfType<AddedToken>(),
        JsonObject names => names.Select(entry => Read(entry.Value, $"{key}.{entry.Key}")).OfType<AddedToken>(),
        _ => throw new InvalidDataException($"{key} is neither a list nor a map of tokens"),
    };

    /// <summary>A special token: a string, or an object with <c>content</c>; null for none.</summary>
    private static AddedToken? Read(JsonNode? node, string key)
    {
        var entry = node as JsonObject;
        var content = entry is null ? node : entry["content"];
        if (content is null)
            return null;
        if (content is not JsonValue value || value.GetValueKind() != JsonValueKind.String)
            throw new InvalidDataException($"{key} is neither a string nor an object with content");
        return new AddedToken(value.GetValue<string>())
        {
            Special = true,
            SingleWord = Flag(entry, "single_word", key),
            StripLeft = Flag(entry, "lstrip", key),
            StripRight = Flag(entry, "rstrip", key),
            Normalized = Flag(entry, "normalized", key),
        };
    }

    private static bool Flag(JsonObject? entry, string flag, string key) => entry?[flag]?.GetValueKind() switch
    {
        null or JsonValueKind.False => false,
        JsonValueKind.True => true,
        _ => throw new InvalidDataException($"{key}.{flag} is {entry![flag]!.ToJsonString()}, expected true or false"),
    };
}
