using Handbook.Autograd;

namespace Handbook.Models.Adapters;

/// <summary>What an adapter adds to a weight: scale * up * down.</summary>
/// <param name="Weight">The weight's name in the model.</param>
/// <param name="Down">[rank, in], for each expert where there are some.</param>
/// <param name="Up">[out, rank] likewise.</param>
/// <param name="Scale">What the product is multiplied with.</param>
public sealed record LowRankDelta(string Weight, Parameter Down, Parameter Up, double Scale)
{
    /// <summary>The rows of up that are this weight's; null for all.</summary>
    public (long First, long Count)? Rows { get; init; }
}
