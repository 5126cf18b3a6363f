using System.Text.Json.Nodes;

namespace Handbook.Models;

/// <summary>
/// The tokenizer's special tokens, as a saved model's <c>config.json</c> and <c>generation_config.json</c> must know them: whoever
/// generates with it reads there where a completion ends.
/// </summary>
/// <param name="Bos">First token of a text; null leaves what is there.</param>
/// <param name="Eos">The token that ends a completion; null leaves what is there.</param>
/// <param name="Pad">The padding token; null leaves what is there.</param>
public sealed record SpecialTokenIds(int? Bos, int? Eos, int? Pad)
{
    /// <summary>Writes the ids into a configuration. Where several tokens end a completion, this one becomes one of them.</summary>
    internal void WriteTo(JsonObject config)
    {
        if (Bos is { } bos)
            config["bos_token_id"] = bos;
        if (Pad is { } pad)
            config["pad_token_id"] = pad;
        if (Eos is not { } eos)
            return;
        if (config["eos_token_id"] is not JsonArray several)
            config["eos_token_id"] = eos;
        else if (!several.Any(id => id is JsonValue value && value.TryGetValue<int>(out var known) && known == eos))
            several.Insert(0, (JsonNode)eos);
    }
}
