using System.Text.Json.Nodes;

namespace Handbook.Models.Configuration;

/// <summary>
/// What a decoder computes, in words that do not depend on the architecture: an architecture maps its <c>config.json</c> onto
/// this. Sizes are numbers of elements.
/// </summary>
public sealed record ModelConfig
{
    /// <summary>The checkpoint's <c>model_type</c>.</summary>
    public required string ModelType { get; init; }

    /// <summary>Rows of the embedding.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Width of the residual stream.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Longest sequence that the checkpoint was made for, in tokens.</summary>
    public required int MaxPositions { get; init; }

    /// <summary>How tokens become vectors.</summary>
    public EmbeddingConfig Embedding { get; init; } = new();

    /// <summary>The decoder layers, each by its own rules.</summary>
    public required IReadOnlyList<LayerConfig> Layers { get; init; }

    /// <summary>The normalisation after the last layer.</summary>
    public required NormConfig FinalNorm { get; init; }

    /// <summary>How hidden states become logits.</summary>
    public required HeadConfig Head { get; init; }

    /// <summary>Factor of the routers' load-balancing loss in the training loss; 0 when nothing is routed or it is not wanted.</summary>
    public double RouterAuxLossCoefficient { get; init; }

    /// <summary>Standard deviation of new weights.</summary>
    public required double InitializerRange { get; init; }

    /// <summary>The embedding row that never gets a gradient (PyTorch's <c>padding_idx</c>); null for none.</summary>
    public int? PadTokenId { get; init; }

    /// <summary>First token of a text; null for none.</summary>
    public int? BosTokenId { get; init; }

    /// <summary>Tokens that end a text.</summary>
    public IReadOnlyList<int> EosTokenIds { get; init; } = [];

    /// <summary>Codes of few bits that linear layers stand in; null for plain numbers.</summary>
    public QuantizationConfig? Quantization { get; init; }

    /// <summary>Outputs of a sequence-classification head.</summary>
    public int LabelCount { get; init; } = 1;

    /// <summary>Fields of the source that nobody here knows and that can hardly matter: shown to the user, kept when saving.</summary>
    public IReadOnlyList<string> UnknownFields { get; init; } = [];

    /// <summary>The <c>config.json</c> this was read from.</summary>
    public required JsonObject Source { get; init; }
}

/// <summary>The table of token vectors and what is done to a vector before the first layer.</summary>
public sealed record EmbeddingConfig
{
    /// <summary>Factor on the vectors, rounded to the type that the model computes in (Gemma); 1 leaves them.</summary>
    public double Scale { get; init; } = 1;

    /// <summary>True when a learned vector is added for each position (GPT-2): the model then has no more than its positions.</summary>
    public bool HasPositions { get; init; }

    /// <summary>Probability with which training drops an element of the sum.</summary>
    public double Dropout { get; init; }
}

/// <summary>The language-model head.</summary>
/// <param name="IsTied">True when its matrix is the embedding's.</param>
public sealed record HeadConfig(bool IsTied)
{
    /// <summary>Factor on the logits.</summary>
    public double LogitScale { get; init; } = 1;

    /// <summary>Logits become cap * tanh(logit / cap) (Gemma 2); null leaves them.</summary>
    public double? SoftCap { get; init; }

    /// <summary>True when there is a bias.</summary>
    public bool HasBias { get; init; }
}

/// <summary>One decoder layer.</summary>
public sealed record LayerConfig
{
    /// <summary>The attention block.</summary>
    public required AttentionConfig Attention { get; init; }

    /// <summary>The feed-forward block.</summary>
    public required FeedForwardConfig FeedForward { get; init; }

    /// <summary>Where the layer normalises, and how.</summary>
    public required LayerNorms Norms { get; init; }

    /// <summary>
    /// True when both blocks read the same normalised stream and are added to it together (GPT-J, Cohere): the norm in front of attention
    /// is then the only one.
    /// </summary>
    public bool IsParallel { get; init; }

    /// <summary>Probability with which training drops an element of what a block adds to the stream.</summary>
    public double ResidualDropout { get; init; }
}

/// <summary>The normalisations of a layer: in front of a block, behind it before it joins the stream, both, or neither (null).</summary>
/// <param name="BeforeAttention">Of the stream, for attention.</param>
/// <param name="AfterAttention">Of what attention made.</param>
/// <param name="BeforeFeedForward">Of the stream, for the feed-forward block.</param>
/// <param name="AfterFeedForward">Of what the feed-forward block made.</param>
public sealed record LayerNorms(NormConfig? BeforeAttention, NormConfig? AfterAttention, NormConfig? BeforeFeedForward,
    NormConfig? AfterFeedForward)
{
    /// <summary>In front of both blocks only.</summary>
    public static LayerNorms Before(NormConfig norm) => new(norm, null, norm, null);

    /// <summary>Behind both blocks only (OLMo 2).</summary>
    public static LayerNorms After(NormConfig norm) => new(null, norm, null, norm);

    /// <summary>In front of and behind both blocks (Gemma 2).</summary>
    public static LayerNorms Around(NormConfig norm) => new(norm, norm, norm, norm);
}
