using Handbook.Autograd;
using Handbook.Models.Configuration;

namespace Handbook.Gguf.Architectures;

/// <summary>Whether llama.cpp loads the biases of a kind of projection.</summary>
internal enum BiasRule
{
    /// <summary>It has none.</summary>
    Never,
    /// <summary>Where the file has them.</summary>
    Optional,
    /// <summary>It does not load without them.</summary>
    Always,
}

/// <summary>Which head llama.cpp loads.</summary>
internal enum HeadRule
{
    /// <summary>One of its own, or the token vectors.</summary>
    Either,
    /// <summary>The token vectors only.</summary>
    Tied,
    /// <summary>One of its own only: a tied one is written twice.</summary>
    Own,
}

/// <summary>
/// What llama.cpp computes under the name of an architecture (its <c>src/models</c>). A configuration that asks for anything else is
/// refused, because the file would load and answer wrongly. Defaults are those of most rows.
/// </summary>
internal sealed record GgufArchitecture(string ModelType, string Name)
{
    /// <summary>The only non-linearity.</summary>
    public ActivationKind Activation { get; init; } = ActivationKind.Silu;

    /// <summary>
    /// Whether elements 2i and 2i + 1 of a head are turned together, where Hugging Face's folders turn i and i + width / 2: the rows of
    /// queries and keys are then put in that order.
    /// </summary>
    public bool TurnsNeighbours { get; init; }

    /// <summary>Which layers turn by position.</summary>
    public Func<int, bool> Turns { get; init; } = _ => true;

    /// <summary>Whether a head may be turned in part.</summary>
    public bool TurnsParts { get; init; }

    /// <summary>Whether <c>rope_freqs</c> is read: a divisor for each frequency.</summary>
    public bool ReadsFrequencies { get; init; }

    /// <summary>Which layers look through the window; null where llama.cpp has no windows.</summary>
    public Func<int, bool>? Windows { get; init; }

    /// <summary>Base of the rotary embedding behind the window, where it is another than elsewhere and no key says it.</summary>
    public double? WindowTheta { get; init; }

    /// <summary>Whether it has a factor on the logits.</summary>
    public bool ScalesLogits { get; init; }

    /// <summary>Whether scores and logits are capped, which it then always does.</summary>
    public bool Caps { get; init; }

    /// <summary>Whether it loads a model only whose heads together are as wide as the stream.</summary>
    public bool HeadsFillWidth { get; init; }

    /// <summary>Whether experts are known.</summary>
    public bool Routes { get; init; }

    /// <summary>The clamped gate that it computes in the activation's place; null for none.</summary>
    public GateClamp? Clamp { get; init; }

    /// <summary>What it calls the norm in front of the feed-forward block.</summary>
    public string FeedForwardNorm { get; init; } = "ffn_norm";

    /// <summary>Which head.</summary>
    public HeadRule Head { get; init; }

    /// <summary>Biases of queries, keys and values.</summary>
    public BiasRule QueryKeyValueBias { get; init; }

    /// <summary>Biases of attention's output.</summary>
    public BiasRule OutputBias { get; init; }

    /// <summary>Biases of the feed-forward block.</summary>
    public BiasRule FeedForwardBias { get; init; }

    /// <summary>Factor on the products of queries and keys. Queries make up for what the model has instead.</summary>
    public Func<ModelConfig, double> Scale { get; init; } = config => 1 / Math.Sqrt(config.Layers[0].Attention.HeadDim);
}
