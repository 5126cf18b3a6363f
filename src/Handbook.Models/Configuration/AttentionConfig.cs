namespace Handbook.Models.Configuration;

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

    /// <summary>How queries and keys are turned by position; null for not at all.</summary>
    public RotaryConfig? Rotary { get; init; }

    /// <summary>How queries and keys are normalised before they are turned; null for not at all.</summary>
    public QueryKeyNorm? QueryKeyNorm { get; init; }

    /// <summary>Factor on the products of queries and keys.</summary>
    public required double Scale { get; init; }

    /// <summary>A token sees itself and the ones before it, so many in all; null for all of them.</summary>
    public int? Window { get; init; }

    /// <summary>Scores become cap * tanh(score / cap) (Gemma 2); null leaves them.</summary>
    public double? SoftCap { get; init; }

    /// <summary>
    /// True when each head has a learned logit that takes part in the softmax and brings nothing (arXiv:2508.10925): weights then sum to
    /// less than 1.
    /// </summary>
    public bool HasSinks { get; init; }

    /// <summary>Probability with which training drops an attention weight.</summary>
    public double Dropout { get; init; }
}

/// <summary>A normalisation of queries and keys.</summary>
/// <param name="Norm">Which one.</param>
/// <param name="IsPerHead">True for each head by itself with one weight for all (Qwen 3), false over the whole projection (OLMo 2).</param>
public sealed record QueryKeyNorm(NormConfig Norm, bool IsPerHead);
