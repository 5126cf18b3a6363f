using Handbook.Data.Packing;

namespace Handbook.Training.Objectives;

/// <summary>What a step's micro-batches add up to, on all ranks: a loss is normalised over the step, never over a part.</summary>
public sealed record StepTotals
{
    private StepTotals() { }

    /// <summary>0-based number of the optimizer step (of an evaluation: 0).</summary>
    public required int Step { get; init; }

    /// <summary>False in an evaluation, which leaves no trace in the objective's state.</summary>
    public required bool IsTraining { get; init; }

    /// <summary>Micro-batches.</summary>
    public required double MicroBatchCount { get; init; }

    /// <summary>Rows, or pairs of a preference set.</summary>
    public required double ExampleCount { get; init; }

    /// <summary>Tokens that count in the loss.</summary>
    public required double LabelCount { get; init; }

    /// <summary>Answers that are compared or judged.</summary>
    public required double AnswerCount { get; init; }

    /// <summary>Labels of chosen answers, and of the prompts that they share with their rivals where those have any.</summary>
    public required double ChosenLabelCount { get; init; }

    /// <summary>Pairs of answers.</summary>
    public double PairCount => AnswerCount / 2;

    /// <summary>Counts a step.</summary>
    /// <param name="step">Its number.</param>
    /// <param name="microBatches">This rank's micro-batches.</param>
    /// <param name="world">All ranks; null for this one alone.</param>
    /// <param name="isTraining">False in an evaluation.</param>
    public static StepTotals Of(int step, IReadOnlyList<TokenBatch> microBatches, World? world = null, bool isTraining = true)
    {
        Span<double> sums =
        [
            microBatches.Count, microBatches.Sum(batch => batch.ExampleIds.Length), microBatches.Sum(batch => (double)batch.LossTokenCount),
            microBatches.Sum(batch => batch.Answers.Length), microBatches.Sum(ChosenLabels),
        ];
        (world ?? World.Single).Sum(sums);
        return new StepTotals
        {
            Step = step, IsTraining = isTraining, MicroBatchCount = sums[0], ExampleCount = sums[1], LabelCount = sums[2],
            AnswerCount = sums[3], ChosenLabelCount = sums[4],
        };
    }

    /// <summary>The chosen answers of pairs, and the prompts that they share with their rivals.</summary>
    internal static IEnumerable<int> ChosenSegments(TokenBatch batch)
    {
        for (var i = 0; i < batch.Answers.Length; i += 2)
        {
            var chosen = batch.Answers[i];
            if (batch.Layout.Segments[chosen].Prefix is >= 0 and var prompt)
                yield return prompt;
            yield return chosen;
        }
    }

    private static double ChosenLabels(TokenBatch batch)
    {
        if (batch.Answers.Length == 0)
            return 0;
        var labels = BatchLabels.Of(batch);
        return ChosenSegments(batch).Sum(labels.CountOf);
    }
}
