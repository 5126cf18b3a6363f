namespace Handbook.Autograd;

/// <summary>What attention does to the products of queries and keys, and how far a token sees.</summary>
/// <param name="Scale">Factor on the products, usually 1/sqrt(headDim).</param>
public readonly record struct AttentionRule(double Scale)
{
    /// <summary>A token at position p sees positions above p - window only; null for all.</summary>
    public int? Window { get; init; }

    /// <summary>Scaled products become cap * tanh(product / cap) (Gemma 2, arXiv:2408.00118); null leaves them.</summary>
    public double? SoftCap { get; init; }

    /// <summary>Probability with which a weight is zero after the softmax; the others are divided by 1 - p.</summary>
    public double Dropout { get; init; }
}
