using Handbook.Torch;
using Handbook.Training.Artefacts;

namespace Handbook.Training.Objectives.Preference;

/// <summary>TRL's metrics of a batch of pairs.</summary>
public static class PairMetrics
{
    /// <summary>Rewards (beta x log-ratio), their accuracy and margin, log-probabilities, mean logits; a tie counts as wrong.</summary>
    public static MetricSums Of(PairMeasurement pairs, double beta)
    {
        var (chosen, rejected) = (pairs.Chosen.Value.ToArray<double>(), pairs.Rejected.Value.ToArray<double>());
        var chosenRewards = Rewards(chosen, pairs.ReferenceChosen, beta);
        var rejectedRewards = Rewards(rejected, pairs.ReferenceRejected, beta);
        var metrics = new MetricSums()
            .Add(MetricNames.ChosenReward, chosenRewards.Sum(), chosen.Length)
            .Add(MetricNames.RejectedReward, rejectedRewards.Sum(), chosen.Length)
            .Add(MetricNames.RewardAccuracy, chosenRewards.Where((reward, i) => reward > rejectedRewards[i]).Count(), chosen.Length)
            .Add(MetricNames.RewardMargin, chosenRewards.Sum() - rejectedRewards.Sum(), chosen.Length)
            .Add(MetricNames.ChosenLogps, chosen.Sum(), chosen.Length)
            .Add(MetricNames.RejectedLogps, rejected.Sum(), chosen.Length);
        AddLogits(metrics, MetricNames.ChosenLogits, pairs, pairs.ChosenSegments);
        AddLogits(metrics, MetricNames.RejectedLogits, pairs, pairs.RejectedSegments);
        AddAccuracy(metrics, pairs);
        return metrics;
    }

    private static double[] Rewards(double[] logps, Tensor reference, double beta)
    {
        var references = reference.ToArray<double>();
        return [.. logps.Select((logp, i) => beta * (logp - references[i]))];
    }

    private static void AddLogits(MetricSums metrics, string name, PairMeasurement pairs, IEnumerable<int> segments)
    {
        foreach (var segment in segments)
        {
            var count = pairs.Labels.CountOf(segment);
            metrics.Add(name, pairs.Statistics.MeanLogits.AsSpan((int)pairs.Labels.Offsets[segment], count).ToArray().Sum(logit => (double)logit), count);
        }
    }

    private static void AddAccuracy(MetricSums metrics, PairMeasurement pairs)
    {
        foreach (var segment in pairs.ChosenSegments)
        {
            var count = pairs.Labels.CountOf(segment);
            var correct = pairs.Statistics.IsCorrect.AsSpan((int)pairs.Labels.Offsets[segment], count).Count(true);
            metrics.Add(MetricNames.TokenAccuracy, correct, count);
        }
    }
}
