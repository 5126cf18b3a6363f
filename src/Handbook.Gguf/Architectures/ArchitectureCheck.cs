using System.Globalization;
using Handbook.Models.Configuration;

namespace Handbook.Gguf.Architectures;

/// <summary>Whether llama.cpp computes what a configuration says, asked before anything is written.</summary>
internal sealed class ArchitectureCheck
{
    private readonly GgufArchitecture row;
    private readonly ModelConfig config;
    private readonly string path;
    private readonly List<string> problems = [];

    private ArchitectureCheck(GgufArchitecture row, ModelConfig config, string path) =>
        (this.row, this.config, this.path) = (row, config, path);

    /// <summary>Refuses what llama.cpp would compute otherwise.</summary>
    /// <param name="row">The architecture.</param>
    /// <param name="config">The model's configuration.</param>
    /// <param name="path">Where it stands, for messages.</param>
    /// <exception cref="UserErrorException">It computes something else: each reason is a line.</exception>
    public static void Run(GgufArchitecture row, ModelConfig config, string path)
    {
        var check = new ArchitectureCheck(row, config, path);
        foreach (var (i, layer) in config.Layers.Index())
        {
            check.Attention(layer.Attention, i);
            check.Rotary(layer.Attention, i);
            check.FeedForward(layer.FeedForward);
        }
        check.Head();
        if (check.problems.Count > 0)
            throw new UserErrorException(check.problems.Distinct());
    }

    private void Attention(AttentionConfig attention, int layer)
    {
        Bias("queries, keys and values", row.QueryKeyValueBias, attention.QueryKeyValueBias);
        Bias("attention's output", row.OutputBias, attention.OutputBias);
        if (row.HeadsFillWidth && attention.HeadCount * attention.HeadDim != config.HiddenSize)
            Refuse(string.Create(CultureInfo.InvariantCulture,
                $"{attention.HeadCount} heads of {attention.HeadDim} are not as wide as the model ({config.HiddenSize}), which it needs"));
        if (row.Caps != attention.SoftCap is not null)
            Refuse(row.Caps ? "attn_logit_softcapping is null, it always caps" : "scores are capped, which it does not do");
        if (row.Windows is { } windows && windows(layer) != attention.Window is not null)
            Refuse("it has the sliding window in other layers");
    }

    private void Rotary(AttentionConfig attention, int layer)
    {
        if (row.Turns(layer) != attention.Rotary is not null)
            Refuse("it turns by position in other layers");
        if (attention.Rotary is not { } rotary)
            return;
        if (row.WindowTheta is { } theta && attention.Window is not null
            && (rotary.Scaling is not RotaryScaling.None || rotary.Theta != theta))
            Refuse(string.Create(CultureInfo.InvariantCulture, $"behind the window its rotary embedding has base {theta} and no scaling"));
        if (rotary.Width != attention.HeadDim && !row.TurnsParts)
            Refuse(string.Create(CultureInfo.InvariantCulture,
                $"{rotary.Width} of a head's {attention.HeadDim} elements are turned by position, it turns all"));
        if (rotary.Scaling is RotaryScaling.Llama3 && !row.ReadsFrequencies)
            Refuse("it has no rope_type \"llama3\"");
        if (rotary.Scaling is RotaryScaling.Yarn { Truncate: false } && !row.ReadsFrequencies)
            Refuse("it rounds the ends of YaRN's ramp (truncate is false)");
    }

    private void FeedForward(FeedForwardConfig block)
    {
        Bias("the feed-forward block", row.FeedForwardBias, block.HasBias);
        if (block.Activation != row.Activation)
            Refuse($"its activation is {row.Activation}, the model's {block.Activation}");
        if (block.Clamp != row.Clamp)
            Refuse("the limits of its clamped gate are others");
        if (block.Routing is { NormalizesWeights: false })
            Refuse("it divides the weights of a token's experts by their sum (norm_topk_prob is false)");
        if (row.Routes != block.Routing is not null)
            Refuse(row.Routes ? "it needs experts" : "it has no experts");
    }

    private void Head()
    {
        if (row.Head == HeadRule.Tied && !config.Head.IsTied)
            Refuse("it has no head of its own (tie_word_embeddings is false)");
        if (row.Caps != config.Head.SoftCap is not null)
            Refuse(row.Caps ? "final_logit_softcapping is null, it always caps" : "logits are capped, which it does not do");
        if (config.Head.LogitScale != 1 && !row.ScalesLogits)
            Refuse("it has no factor on the logits");
        if (config.Head.HasBias)
            Refuse("it has no bias of the head");
    }

    private void Bias(string what, BiasRule rule, bool has)
    {
        if (rule == (has ? BiasRule.Never : BiasRule.Always))
            Refuse(has ? $"it has no biases of {what}" : $"it needs the biases of {what}");
    }

    private void Refuse(string reason) => problems.Add($"{path}: llama.cpp's {row.Name} is another model: {reason}.");
}
