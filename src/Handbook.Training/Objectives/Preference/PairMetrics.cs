using Handbook.Data.Packing;
using Handbook.Torch;
using Handbook.Training.Artefacts;

namespace Handbook.Training.Objectives.Preference;

/// <summary>TRL's metrics of a batch of pairs.</summary>
internal static class PairMetrics
{
    /// <summary>Asks for them with rewards of beta x (policy - reference) log-probability.</summary>
    internal static void Add(Readings readings, TokenBatch batch, PairMeasurement pairs, double beta)
    {
        Tensor Rewards(CompletionMeasurement side) => side.Logps.Value.Subtract(side.Reference).Multiply(beta);
        Add(readings, batch, pairs, Rewards(pairs.Chosen), Rewards(pairs.Rejected));
    }

    /// <summary>Asks for rewards, their accuracy (a tie is wrong), margin, log-probabilities, mean logits, accuracy, entropy.</summary>
    /// <param name="readings">Who is asked.</param>
    /// <param name="batch">The pairs' tokens.</param>
    /// <param name="pairs">The pairs.</param>
    /// <param name="chosenRewards">Rewards of the chosen completions, [pairs].</param>
    /// <param name="rejectedRewards">Rewards of the rejected completions, [pairs].</param>
    internal static void Add(Readings readings, TokenBatch batch, PairMeasurement pairs, Tensor chosenRewards, Tensor rejectedRewards)
    {
        var count = pairs.PairCount;
        var (chosen, rejected) = (readings.Of(chosenRewards), readings.Of(rejectedRewards));
        var (chosenLogps, rejectedLogps) = (readings.Of(pairs.Chosen.Logps.Value), readings.Of(pairs.Rejected.Logps.Value));
        var completions = new CompletionMetrics(readings, pairs.Completions);
        readings.Add(metrics => metrics
            .Add(MetricNames.ChosenReward, chosen.Values.Sum(), count)
            .Add(MetricNames.RejectedReward, rejected.Values.Sum(), count)
            .Add(MetricNames.RewardAccuracy, PairAccuracy.Count(batch, chosen.Values, rejected.Values), count)
            .Add(MetricNames.RewardMargin, chosen.Values.Sum() - rejected.Values.Sum(), count)
            .Add(MetricNames.ChosenLogps, chosenLogps.Values.Sum(), count)
            .Add(MetricNames.RejectedLogps, rejectedLogps.Values.Sum(), count));
        readings.Add(metrics =>
        {
            completions.AddLogits(metrics, MetricNames.ChosenLogits, pairs.Chosen.Segments);
            completions.AddLogits(metrics, MetricNames.RejectedLogits, pairs.Rejected.Segments);
            completions.AddAccuracy(metrics, pairs.Chosen.Segments);
            completions.AddEntropy(metrics);
        });
    }
}
