using Handbook.Data.Packing;

namespace Handbook.Training.Objectives;

/// <summary>What a step's micro-batches add up to, on all ranks: a loss is normalised over the step, never over a part.</summary>
/// <param name="IsTraining">False in an evaluation, which leaves no trace in the objective's state.</param>
/// <param name="MicroBatchCount">Micro-batches.</param>
/// <param name="ExampleCount">Rows, or pairs of a preference set.</param>
/// <param name="LossTokenCount">Tokens that count in the loss.</param>
/// <param name="CompletionCount">Completions that are compared or judged.</param>
/// <param name="ChosenTokenCount">Loss tokens of chosen completions, and of the prompts shared with their rivals.</param>
public sealed record StepTotals(
    bool IsTraining, double MicroBatchCount, double ExampleCount, double LossTokenCount, double CompletionCount, double ChosenTokenCount)
{
    /// <summary>Pairs of completions.</summary>
    public double PairCount => CompletionCount / 2;

    /// <summary>Counts a step.</summary>
    /// <param name="microBatches">This rank's micro-batches.</param>
    /// <param name="world">All ranks; null for this one alone.</param>
    /// <param name="isTraining">False in an evaluation.</param>
    public static StepTotals Of(IReadOnlyList<TokenBatch> microBatches, World? world = null, bool isTraining = true)
    {
        Span<double> sums =
        [
            microBatches.Count, microBatches.Sum(batch => batch.ExampleIds.Length), microBatches.Sum(batch => (double)batch.LossTokenCount),
            microBatches.Sum(batch => batch.Completions.Length), microBatches.Sum(ChosenLabels),
        ];
        (world ?? World.Single).Sum(sums);
        return new StepTotals(isTraining, sums[0], sums[1], sums[2], sums[3], sums[4]);
    }

    /// <summary>The chosen completions of pairs, and the prompts that they share with their rivals.</summary>
    internal static IEnumerable<int> ChosenSegments(TokenBatch batch)
    {
        for (var i = 0; i < batch.Completions.Length; i += 2)
        {
            var chosen = batch.Completions[i];
            if (batch.Layout.Segments[chosen].Prefix is >= 0 and var prompt)
                yield return prompt;
            yield return chosen;
        }
    }

    private static double ChosenLabels(TokenBatch batch) =>
        batch.Completions.Length == 0 ? 0 : ChosenSegments(batch).Sum(BatchLabels.Of(batch).CountOf);
}
