namespace Handbook.Models.Configuration;

/// <summary>Which statistic a normalisation divides by.</summary>
public enum NormKind
{
    /// <summary>The root of the mean square (arXiv:1910.07467).</summary>
    RootMeanSquare,

    /// <summary>The standard deviation, after the mean is taken away (arXiv:1607.06450).</summary>
    Layer,
}

/// <summary>A normalisation over the last dimension.</summary>
/// <param name="Kind">Its statistic.</param>
/// <param name="Epsilon">Added to the mean square or the variance.</param>
public sealed record NormConfig(NormKind Kind, double Epsilon)
{
    /// <summary>True when the stored weight is what the factor exceeds 1 by (Gemma).</summary>
    public bool IsOffset { get; init; }

    /// <summary>True when a bias is added.</summary>
    public bool HasBias { get; init; }
}
