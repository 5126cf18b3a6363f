using Handbook.Data.Packing;
using Handbook.Torch;
using Handbook.Training.Artefacts;

namespace Handbook.Training.Objectives.Preference;

/// <summary>TRL's metrics of a batch of pairs, made once their numbers have been read.</summary>
internal sealed class PairMetrics
{
    private readonly TokenBatch batch;
    private readonly PairMeasurement pairs;
    private readonly Reading chosenRewards;
    private readonly Reading rejectedRewards;
    private readonly Reading chosenLogps;
    private readonly Reading rejectedLogps;
    private readonly AnswerMetrics answers;

    /// <summary>Asks for the numbers.</summary>
    /// <param name="readings">Who reads them.</param>
    /// <param name="batch">The pairs' tokens.</param>
    /// <param name="pairs">The pairs.</param>
    /// <param name="chosen">Rewards of the chosen answers, [pairs].</param>
    /// <param name="rejected">Rewards of the rejected answers, [pairs].</param>
    internal PairMetrics(Readings readings, TokenBatch batch, PairMeasurement pairs, Tensor chosen, Tensor rejected)
    {
        (this.batch, this.pairs) = (batch, pairs);
        (chosenRewards, rejectedRewards) = (readings.Of(chosen), readings.Of(rejected));
        (chosenLogps, rejectedLogps) = (readings.Of(pairs.Chosen.Value), readings.Of(pairs.Rejected.Value));
        answers = new AnswerMetrics(readings, pairs.Answers);
    }

    /// <summary>Rewards are beta x (policy - reference) log-probability.</summary>
    internal static PairMetrics Of(Readings readings, TokenBatch batch, PairMeasurement pairs, double beta) => new(
        readings, batch, pairs, pairs.Chosen.Value.Subtract(pairs.ReferenceChosen).Multiply(beta),
        pairs.Rejected.Value.Subtract(pairs.ReferenceRejected).Multiply(beta));

    /// <summary>Rewards, their accuracy (a tie is wrong) and margin, log-probabilities, mean logits, accuracy and entropy.</summary>
    internal MetricSums Sums()
    {
        var count = pairs.PairCount;
        var (chosen, rejected) = (chosenRewards.Values, rejectedRewards.Values);
        var metrics = new MetricSums()
            .Add(MetricNames.ChosenReward, chosen.Sum(), count)
            .Add(MetricNames.RejectedReward, rejected.Sum(), count)
            .Add(MetricNames.RewardAccuracy, PairAccuracy.Count(batch, chosen, rejected), count)
            .Add(MetricNames.RewardMargin, chosen.Sum() - rejected.Sum(), count)
            .Add(MetricNames.ChosenLogps, chosenLogps.Values.Sum(), count)
            .Add(MetricNames.RejectedLogps, rejectedLogps.Values.Sum(), count);
        answers.AddLogits(metrics, MetricNames.ChosenLogits, pairs.ChosenSegments);
        answers.AddLogits(metrics, MetricNames.RejectedLogits, pairs.RejectedSegments);
        answers.AddAccuracy(metrics, pairs.ChosenSegments);
        answers.AddEntropy(metrics);
        return metrics;
    }
}
