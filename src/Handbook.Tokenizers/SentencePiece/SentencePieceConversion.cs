using System.Text.Json;
using System.Text.Json.Nodes;
using Handbook.Tokenizers.Files;

namespace Handbook.Tokenizers.SentencePiece;

/// <summary>
/// Turns a SentencePiece model into tokenizer.json as transformers' converters do (convert_slow_tokenizer.py: LlamaConverter
/// for BPE, SpmConverter for Unigram).
/// </summary>
internal static class SentencePieceConversion
{
    private const string Mark = "\u2581";

    /// <summary>The file, UTF-8.</summary>
    public static byte[] Convert(SentencePieceModel model, TokenizerSettings settings)
    {
        var file = new JsonObject
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["padding"] = null,
            ["added_tokens"] = AddedTokens(model),
            ["normalizer"] = model.IsBytePair ? BytePairNormalizer(model) : UnigramNormalizer(model),
            ["pre_tokenizer"] = model.IsBytePair ? null : Metaspace(model),
            ["post_processor"] = PostProcessor(model, settings),
            ["decoder"] = model.IsBytePair || model.ByteFallback ? BytePairDecoder(model) : Metaspace(model),
            ["model"] = model.IsBytePair ? BytePair(model) : Unigram(model),
        };
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, TokenizerWriter.Options))
            file.WriteTo(writer);
        return stream.ToArray();
    }

    /// <summary>
    /// Merges of a vocabulary that only has scores: every way to cut a piece into two pieces, by score (descending), then by
    /// the ids of the parts.
    /// </summary>
    public static List<(string Left, string Right)> Merges(IReadOnlyList<Piece> pieces)
    {
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var id = 0; id < pieces.Count; id++)
            ids[pieces[id].Text] = id;
        var lookup = ids.GetAlternateLookup<ReadOnlySpan<char>>();
        var merges = new List<(float Score, int Left, int Right)>();
        foreach (var piece in pieces)
        {
            for (var cut = 1; cut < piece.Text.Length; cut++)
            {
                if (lookup.TryGetValue(piece.Text.AsSpan(0, cut), out var left)
                    && lookup.TryGetValue(piece.Text.AsSpan(cut), out var right))
                    merges.Add((piece.Score, left, right));
            }
        }
        merges.Sort((one, other) => (other.Score, one.Left, one.Right).CompareTo((one.Score, other.Left, other.Right)));
        return merges.ConvertAll(merge => (pieces[merge.Left].Text, pieces[merge.Right].Text));
    }

    private static JsonArray AddedTokens(SentencePieceModel model)
    {
        var tokens = new JsonArray();
        for (var id = 0; id < model.Pieces.Count; id++)
        {
            var piece = model.Pieces[id];
            if (piece.Type is not (PieceType.Unknown or PieceType.Control or PieceType.UserDefined))
                continue;
            tokens.Add((JsonNode)new JsonObject
            {
                ["id"] = id,
                ["content"] = piece.Text,
                ["single_word"] = false,
                ["lstrip"] = false,
                ["rstrip"] = false,
                ["normalized"] = false,
                ["special"] = piece.Type != PieceType.UserDefined,
            });
        }
        return tokens;
    }

    private static JsonObject BytePairNormalizer(SentencePieceModel model)
    {
        var steps = new JsonArray();
        if (model.CharacterMap.Length > 0)
            steps.Add((JsonNode)Precompiled(model));
        if (model.AddDummyPrefix)
            steps.Add((JsonNode)new JsonObject { ["type"] = "Prepend", ["prepend"] = Mark });
        steps.Add((JsonNode)Replace("String", " ", Mark));
        return new JsonObject { ["type"] = "Sequence", ["normalizers"] = steps };
    }

    private static JsonObject? UnigramNormalizer(SentencePieceModel model)
    {
        var steps = new JsonArray();
        if (model.CharacterMap.Length > 0)
            steps.Add((JsonNode)Precompiled(model));
        if (model.RemoveExtraWhitespaces)
        {
            steps.Add((JsonNode)new JsonObject { ["type"] = "Strip", ["strip_left"] = false, ["strip_right"] = true });
            steps.Add((JsonNode)Replace("Regex", " {2,}", Mark));
        }
        return steps.Count == 0 ? null : new JsonObject { ["type"] = "Sequence", ["normalizers"] = steps };
    }

    private static JsonObject Precompiled(SentencePieceModel model) => new()
    {
        ["type"] = "Precompiled",
        ["precompiled_charsmap"] = System.Convert.ToBase64String(model.CharacterMap),
    };

    private static JsonObject Replace(string kind, string pattern, string content) => new()
    {
        ["type"] = "Replace",
        ["pattern"] = new JsonObject { [kind] = pattern },
        ["content"] = content,
    };

    private static JsonObject Metaspace(SentencePieceModel model) => new()
    {
        ["type"] = "Metaspace",
        ["replacement"] = Mark,
        ["prepend_scheme"] = model.AddDummyPrefix ? "always" : "never",
        ["split"] = true,
    };

    private static JsonObject BytePairDecoder(SentencePieceModel model)
    {
        var steps = new JsonArray((JsonNode)Replace("String", Mark, " "), new JsonObject { ["type"] = "ByteFallback" },
            new JsonObject { ["type"] = "Fuse" });
        if (model.AddDummyPrefix)
            steps.Add((JsonNode)new JsonObject { ["type"] = "Strip", ["content"] = " ", ["start"] = 1, ["stop"] = 0 });
        return new JsonObject { ["type"] = "Sequence", ["decoders"] = steps };
    }

    /// <summary>BOS and EOS as <c>add_bos_token</c> and <c>add_eos_token</c> say; a BPE model has BOS unless they say no.</summary>
    private static JsonObject? PostProcessor(SentencePieceModel model, TokenizerSettings settings)
    {
        var special = new JsonObject();
        var (single, pair) = (new JsonArray(), new JsonArray());
        void Add(string key, string? token, string standard, bool absent)
        {
            var content = token ?? standard;
            var id = model.Pieces.ToList().FindIndex(piece => piece.Text == content);
            if (id < 0 || !(settings.Other[key] is JsonValue value && value.TryGetValue(out bool flag) ? flag : absent))
                return;
            special[content] = new JsonObject { ["id"] = content, ["ids"] = new JsonArray(id), ["tokens"] = new JsonArray(content) };
            single.Add((JsonNode)Entry("SpecialToken", content, 0));
        }

        Add("add_bos_token", settings.BosToken, "<s>", model.IsBytePair);
        single.Add((JsonNode)Entry("Sequence", "A", 0));
        Add("add_eos_token", settings.EosToken, "</s>", false);
        if (special.Count == 0)
            return null;
        foreach (var (name, typeId) in (ReadOnlySpan<(string, int)>)[("A", 0), ("B", 1)])
        {
            foreach (var entry in single)
            {
                var isSequence = entry!.AsObject().ContainsKey("Sequence");
                pair.Add((JsonNode)Entry(isSequence ? "Sequence" : "SpecialToken",
                    isSequence ? name : entry["SpecialToken"]!["id"]!.GetValue<string>(), typeId));
            }
        }
        return new JsonObject { ["type"] = "TemplateProcessing", ["single"] = single, ["pair"] = pair, ["special_tokens"] = special };
    }

    private static JsonObject Entry(string kind, string id, int typeId) =>
        new() { [kind] = new JsonObject { ["id"] = id, ["type_id"] = typeId } };

    private static JsonObject BytePair(SentencePieceModel model)
    {
        var (vocabulary, merges) = (new JsonObject(), new JsonArray());
        for (var id = 0; id < model.Pieces.Count; id++)
            vocabulary[model.Pieces[id].Text] = id;
        foreach (var (left, right) in Merges(model.Pieces))
            merges.Add((JsonNode)new JsonArray(left, right));
        return new JsonObject
        {
            ["type"] = "BPE",
            ["dropout"] = null,
            ["unk_token"] = model.Pieces.FirstOrDefault(piece => piece.Type == PieceType.Unknown)?.Text,
            ["continuing_subword_prefix"] = null,
            ["end_of_word_suffix"] = null,
            ["fuse_unk"] = true,
            ["byte_fallback"] = true,
            ["ignore_merges"] = false,
            ["vocab"] = vocabulary,
            ["merges"] = merges,
        };
    }

    private static JsonObject Unigram(SentencePieceModel model)
    {
        var vocabulary = new JsonArray();
        foreach (var piece in model.Pieces)
            vocabulary.Add((JsonNode)new JsonArray(piece.Text, (double)piece.Score));
        var unknown = model.Pieces.ToList().FindIndex(piece => piece.Type == PieceType.Unknown);
        return new JsonObject
        {
            ["type"] = "Unigram",
            ["unk_id"] = unknown < 0 ? null : unknown,
            ["vocab"] = vocabulary,
            ["byte_fallback"] = model.ByteFallback,
        };
    }
}
