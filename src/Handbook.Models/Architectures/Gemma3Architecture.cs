using System.Text.Json.Nodes;
using Handbook.Models.Configuration;

namespace Handbook.Models.Architectures;

/// <summary>
/// Gemma 3 (arXiv:2503.19786): Gemma 2's blocks without caps on scores, queries and keys normalised by head, five layers in six behind a
/// window, with a rotary embedding of their own. A folder of the model that also sees images gives its text part: what reads images stays
/// behind, and what is saved is the text model.
/// </summary>
internal static class Gemma3Architecture
{
    private const string TextType = "gemma3_text";

    private static readonly WeightNames Names = new()
    {
        Norms = new("input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm"),
    };

    internal static Architecture Text { get; } =
        new(Read) { ModelType = TextType, ClassStem = "Gemma3Text", CausalClass = "Gemma3ForCausalLM", Names = Names };

    internal static Architecture WithVision { get; } = new(ReadTextPart)
    {
        ModelType = "gemma3",
        ClassStem = "Gemma3Text",
        CausalClass = "Gemma3ForCausalLM",
        OtherClasses = ["Gemma3ForConditionalGeneration", "Gemma3ForSequenceClassification", "Gemma3Model"],
        Names = Names with
        {
            // Published folders, and those that transformers 4.52 and later may write.
            OtherPrefixes =
            [
                [("model.", "language_model.model."), ("lm_head.", "language_model.lm_head.")],
                [("model.", "model.language_model.")],
            ],
            OtherParts = ["vision_tower.", "multi_modal_projector.", "model.vision_tower.", "model.multi_modal_projector."],
        },
    };

    private static ModelConfig Read(ConfigReader json)
    {
        var fields = DecoderFields.Read(json, hidden: 2304, heads: 8, keyValueHeads: 4, positions: 131072, headDim: 256);
        var bias = json.Flag("attention_bias", false);
        var norm = new NormConfig(NormKind.RootMeanSquare, json.Number("rms_norm_eps", 1e-6)) { IsOffset = true };
        var (full, sliding) = RotaryReader.ReadByKind(json, fields.HeadDim, fields.MaxPositions, fullTheta: 1e6, slidingTheta: 1e4);
        var attention = fields.Attention(full, bias, bias) with
        {
            Scale = 1 / Math.Sqrt(json.Number("query_pre_attn_scalar", 256)),
            QueryKeyNorm = new QueryKeyNorm(norm, IsPerHead: true),
        };
        CheckForm(json);
        var feedForward = fields.FeedForward(width: 9216, "hidden_activation", "gelu_pytorch_tanh");
        var pattern = json.Integer("sliding_window_pattern", 6);
        var window = json.Integer("sliding_window", 4096);
        var slides = LayerWindows.AreSliding(json, json.LayerCount("num_hidden_layers", 26), otherwise: i => (i + 1) % pattern != 0);
        var layers = slides.Select(isSliding => new LayerConfig
        {
            Attention = isSliding ? attention with { Window = window, Rotary = sliding } : attention,
            FeedForward = feedForward,
            Norms = LayerNorms.Around(norm),
        });
        return fields.Model(TextType, vocabulary: 262208, [.. layers], norm, tied: true, pad: 0) with
        {
            Embedding = new EmbeddingConfig { Scale = Math.Sqrt(fields.HiddenSize) },
            Head = new HeadConfig(json.Flag("tie_word_embeddings", true)) { SoftCap = json.OptionalNumber("final_logit_softcapping",
                null) },
        };
    }

    private static void CheckForm(ConfigReader json)
    {
        if (json.OptionalNumber("attn_logit_softcapping", null) is not null)
            json.Problem("attn_logit_softcapping", "is given, but transformers' gemma3 caps no scores; set it to null", 0);
        json.Expect("use_bidirectional_attention", false);
        // transformers keeps the older field beside the one that counts; the other says how keys are kept in generation.
        json.Ignore("hidden_act", "cache_implementation");
    }

    private static ModelConfig ReadTextPart(ConfigReader json)
    {
        // They say how images enter, and special tokens are the text part's too.
        json.Ignore(
            "vision_config", "mm_tokens_per_image", "boi_token_index", "eoi_token_index", "image_token_index", "image_token_id",
            "boi_token_id", "eoi_token_id", "tie_word_embeddings", "initializer_range");
        var text = json.Object("text_config")?.DeepClone().AsObject() ?? [];
        foreach (var key in new[] { "bos_token_id", "eos_token_id", "pad_token_id", "id2label", "label2id", "num_labels", "dtype" })
        {
            if (json.Json[key] is { } value)
                text[key] = value.DeepClone();
        }
        text["model_type"] = TextType;
        var reader = new ConfigReader(text, $"{json.Path}: text_config");
        var config = Read(reader);
        return config with { UnknownFields = reader.Finish(TextType) };
    }
}
