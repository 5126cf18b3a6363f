using Handbook.Data.Packing;
using Handbook.Models;

namespace Handbook.Training.Planning;

/// <summary>What a micro-batch asks of a model.</summary>
/// <param name="RowTokens">Tokens of its rows.</param>
/// <param name="Tokens">Those and the ones of mismatched completions.</param>
/// <param name="Pairs">Pairs of tokens of which one sees the other.</param>
/// <param name="Labels">Tokens that count in the loss.</param>
public sealed record BatchWork(double RowTokens, double Tokens, double Pairs, double Labels)
{
    /// <summary>That of a micro-batch.</summary>
    public static BatchWork Of(TokenBatch batch)
    {
        var own = new BatchWork(batch.TokenCount, batch.TokenCount, FlopCount.VisiblePairs(batch.Layout), batch.LossTokenCount);
        return batch.KlBatch is not { } kl ? own : own with
        {
            Tokens = own.Tokens + kl.TokenCount,
            Pairs = own.Pairs + FlopCount.VisiblePairs(kl.Layout),
            Labels = own.Labels + kl.LossTokenCount,
        };
    }

    /// <summary>The average of some.</summary>
    public static BatchWork Mean(IReadOnlyList<BatchWork> works) => new(
        works.Average(one => one.RowTokens), works.Average(one => one.Tokens), works.Average(one => one.Pairs),
        works.Average(one => one.Labels));

    /// <summary>So many times as much.</summary>
    public BatchWork Scaled(double factor) => new(RowTokens * factor, Tokens * factor, Pairs * factor, Labels * factor);
}
