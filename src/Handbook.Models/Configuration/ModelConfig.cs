using System.Text.Json.Nodes;
using Handbook.Autograd;

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

    /// <summary>Number of decoder layers.</summary>
    public required int LayerCount { get; init; }

    /// <summary>Longest sequence that the checkpoint was made for, in tokens.</summary>
    public required int MaxPositions { get; init; }

    /// <summary>The normalisation in front of each block and at the end.</summary>
    public required NormConfig Norm { get; init; }

    /// <summary>The attention blocks.</summary>
    public required AttentionConfig Attention { get; init; }

    /// <summary>How positions turn queries and keys.</summary>
    public required RotaryConfig Rotary { get; init; }

    /// <summary>The feed-forward blocks.</summary>
    public required FeedForwardConfig FeedForward { get; init; }

    /// <summary>True when the head is the embedding's matrix.</summary>
    public required bool TieEmbeddings { get; init; }

    /// <summary>Standard deviation of new weights.</summary>
    public required double InitializerRange { get; init; }

    /// <summary>The embedding row that never gets a gradient (PyTorch's <c>padding_idx</c>); null for none.</summary>
    public int? PadTokenId { get; init; }

    /// <summary>First token of a text; null for none.</summary>
    public int? BosTokenId { get; init; }

    /// <summary>Tokens that end a text.</summary>
    public IReadOnlyList<int> EosTokenIds { get; init; } = [];

    /// <summary>Outputs of a sequence-classification head.</summary>
    public int LabelCount { get; init; } = 1;

    /// <summary>Fields of the source that nobody here knows and that can hardly matter: shown to the user, kept when saving.</summary>
    public IReadOnlyList<string> UnknownFields { get; init; } = [];

    /// <summary>The <c>config.json</c> this was read from.</summary>
    public required JsonObject Source { get; init; }
}

/// <summary>A normalisation.</summary>
/// <param name="Epsilon">Added to the mean square.</param>
public sealed record NormConfig(double Epsilon);

/// <summary>Attention with grouped query heads.</summary>
public sealed record AttentionConfig
{
    /// <summary>Number of query heads.</summary>
    public required int HeadCount { get; init; }

    /// <summary>Number of key/value heads; divides <see cref="HeadCount"/>.</summary>
    public required int KeyValueHeadCount { get; init; }

    /// <summary>Width of one head; independent of the residual stream's.</summary>
    public required int HeadDim { get; init; }

    /// <summary>True when the projections of query, key and value have a bias.</summary>
    public bool QueryKeyValueBias { get; init; }

    /// <summary>True when the output projection has a bias.</summary>
    public bool OutputBias { get; init; }

    /// <summary>Factor on the products of queries and keys.</summary>
    public required double Scale { get; init; }

    /// <summary>Probability with which training drops an attention weight.</summary>
    public double Dropout { get; init; }
}

/// <summary>The feed-forward block.</summary>
/// <param name="Width">Width between the projections.</param>
/// <param name="Activation">Its non-linearity.</param>
/// <param name="Bias">True when its projections have biases.</param>
public sealed record FeedForwardConfig(int Width, ActivationKind Activation, bool Bias);
