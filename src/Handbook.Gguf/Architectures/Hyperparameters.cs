using Handbook.Gguf.Format;
using Handbook.Models.Blocks;
using Handbook.Models.Configuration;

namespace Handbook.Gguf.Architectures;

/// <summary>A configuration as llama.cpp reads it.</summary>
internal static class Hyperparameters
{
    /// <summary>Name of the tensor of divisors of frequencies.</summary>
    public const string Frequencies = "rope_freqs.weight";

    /// <summary>
    /// Longest sequence, in tokens, for which llama.cpp computes what the model does: it has no windows in most architectures, and no
    /// base that grows with the length.
    /// </summary>
    public static int ContextLength(GgufArchitecture row, ModelConfig config) => row.Windows is not null ? config.MaxPositions
        : config.Layers.Min(layer => Math.Min(config.MaxPositions, layer.Attention.Window ?? config.MaxPositions));

    /// <summary>Adds the keys.</summary>
    public static void Add(GgufMetadata metadata, GgufArchitecture row, ModelConfig config)
    {
        var (attention, block) = (config.Layers[0].Attention, config.Layers[0].FeedForward);
        string Key(string name) => $"{row.Name}.{name}";
        metadata.Add(Key("vocab_size"), config.VocabularySize);
        metadata.Add(Key("context_length"), ContextLength(row, config));
        metadata.Add(Key("embedding_length"), config.HiddenSize);
        metadata.Add(Key("block_count"), config.Layers.Count);
        metadata.Add(Key("feed_forward_length"), block.Width);
        metadata.Add(Key("attention.head_count"), attention.HeadCount);
        metadata.Add(Key("attention.head_count_kv"), attention.KeyValueHeadCount);
        metadata.Add(Key("attention.key_length"), attention.HeadDim);
        metadata.Add(Key("attention.value_length"), attention.HeadDim);
        var norm = config.FinalNorm.Kind == NormKind.Layer ? "layer_norm_epsilon" : "layer_norm_rms_epsilon";
        metadata.Add(Key("attention." + norm), config.FinalNorm.Epsilon);
        if (row.Windows is not null && config.Layers.Max(layer => layer.Attention.Window) is { } window)
            metadata.Add(Key("attention.sliding_window"), window);
        if (attention.SoftCap is { } cap)
            metadata.Add(Key("attn_logit_softcapping"), cap);
        if (config.Head.SoftCap is { } finalCap)
            metadata.Add(Key("final_logit_softcapping"), finalCap);
        if (row.ScalesLogits)
            metadata.Add(Key("logit_scale"), config.Head.LogitScale);
        if (block.Routing is { } routing)
        {
            metadata.Add(Key("expert_count"), routing.ExpertCount);
            metadata.Add(Key("expert_used_count"), routing.ExpertsPerToken);
            metadata.Add(Key("expert_feed_forward_length"), block.Width);
        }
        if (Rotary(config) is { } rotary)
            AddRotary(metadata, Key("rope."), rotary);
    }

    /// <summary>Divisors of the rotary frequencies, where they are not plain and no key says how they are stretched.</summary>
    public static float[]? FrequencyDivisors(ModelConfig config)
    {
        if (Rotary(config) is not { Scaling: RotaryScaling.Llama3 or RotaryScaling.Yarn { Truncate: false } } rotary)
            return null;
        var plain = RotaryFrequencies.Inverse(rotary with { Scaling = new RotaryScaling.None() }, config.MaxPositions);
        return [.. plain.Zip(RotaryFrequencies.Inverse(rotary, config.MaxPositions), (one, stretched) => one / stretched)];
    }

    /// <summary>The rotary embedding of the layers that have one: of those without a window, where theirs differ.</summary>
    public static RotaryConfig? Rotary(ModelConfig config) =>
        config.Layers.OrderBy(layer => layer.Attention.Window is not null).Select(layer => layer.Attention.Rotary)
            .FirstOrDefault(rotary => rotary is not null);

    private static void AddRotary(GgufMetadata metadata, string prefix, RotaryConfig rotary)
    {
        metadata.Add(prefix + "dimension_count", rotary.Width);
        metadata.Add(prefix + "freq_base", rotary.Theta);
        if (rotary.Scaling is RotaryScaling.Linear linear)
        {
            metadata.Add(prefix + "scaling.type", "linear");
            metadata.Add(prefix + "scaling.factor", linear.Factor);
        }
        // llama.cpp rounds the ends of YaRN's ramp; one that is not rounded goes as divisors of the frequencies.
        if (rotary.Scaling is RotaryScaling.Yarn { Truncate: false } exact)
            metadata.Add(prefix + "scaling.attn_factor", exact.AttentionFactor);
        if (rotary.Scaling is RotaryScaling.Yarn { Truncate: true } yarn)
        {
            metadata.Add(prefix + "scaling.type", "yarn");
            metadata.Add(prefix + "scaling.factor", yarn.Factor);
            metadata.Add(prefix + "scaling.original_context_length", yarn.TrainedLength);
            metadata.Add(prefix + "scaling.yarn_beta_fast", yarn.BetaFast);
            metadata.Add(prefix + "scaling.yarn_beta_slow", yarn.BetaSlow);
            // llama.cpp multiplies by 0.1 ln(factor) + 1 itself (arXiv:2309.00071, section 3.4).
            metadata.Add(prefix + "scaling.attn_factor", yarn.AttentionFactor / (0.1 * Math.Log(yarn.Factor) + 1));
        }
    }
}
