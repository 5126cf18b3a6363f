namespace Handbook.Gguf.Architectures;

/// <summary>What a tensor does, as far as it decides how it is written.</summary>
internal enum TensorRole
{
    /// <summary>Token vectors.</summary>
    Embedding,
    /// <summary>Learned positions.</summary>
    Positions,
    /// <summary>The language-model head.</summary>
    Head,
    /// <summary>A normalisation.</summary>
    Norm,
    /// <summary>The normalisation of queries.</summary>
    QueryNorm,
    /// <summary>The normalisation of keys.</summary>
    KeyNorm,
    /// <summary>Query projection.</summary>
    Query,
    /// <summary>Key projection.</summary>
    Key,
    /// <summary>Value projection.</summary>
    Value,
    /// <summary>Query, key and value in one.</summary>
    QueryKeyValue,
    /// <summary>Output projection of attention.</summary>
    AttentionOutput,
    /// <summary>What widens in the feed-forward block.</summary>
    Up,
    /// <summary>What narrows in the feed-forward block.</summary>
    Down,
    /// <summary>The router of experts.</summary>
    Router,
    /// <summary>Logits of the heads' sinks.</summary>
    Sinks,
}

/// <summary>A tensor's place in a GGUF file.</summary>
/// <param name="Name">Its name there.</param>
/// <param name="Role">What it does.</param>
/// <param name="Layer">Its layer; -1 outside the layers.</param>
/// <param name="IsBias">Whether it is the bias.</param>
internal sealed record TensorPlace(string Name, TensorRole Role, int Layer, bool IsBias)
{
    /// <summary>Which half of the experts' outputs it is, where one weight holds gate (0) and up (1); null for the whole weight.</summary>
    public int? Half { get; init; }
}
