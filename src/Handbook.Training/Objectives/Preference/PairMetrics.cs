using Handbook.Data.Packing;
using Handbook.Torch;
using Handbook.Training.Artefacts;

namespace Handbook.Training.Objectives.Preference;

/// <summary>TRL's metrics of a batch of pairs.</summary>
public static class PairMetrics
{
    /// <summary>Rewards are beta x (policy - reference) log-probability.</summary>
    public static MetricSums Of(TokenBatch batch, PairMeasurement pairs, double beta) => Of(
        batch, pairs, Rewards(pairs.Chosen.Value, pairs.ReferenceChosen, beta), Rewards(pairs.Rejected.Value, pairs.ReferenceRejected, beta));

    /// <summary>Rewards, their accuracy (a tie counts as wrong) and margin, log-probabilities, mean logits, accuracy and entropy of tokens.</summary>
    /// <param name="batch">The pairs' tokens.</param>
    /// <param name="pairs">The pairs.</param>
    /// <param name="chosenRewards">Rewards of the chosen answers, one a pair.</param>
    /// <param name="rejectedRewards">Rewards of the rejected answers.</param>
    public static MetricSums Of(TokenBatch batch, PairMeasurement pairs, double[] chosenRewards, double[] rejectedRewards)
    {
        var count = pairs.PairCount;
        var metrics = new MetricSums()
            .Add(MetricNames.ChosenReward, chosenRewards.Sum(), count)
            .Add(MetricNames.RejectedReward, rejectedRewards.Sum(), count)
            .Add(MetricNames.RewardAccuracy, PairAccuracy.Count(batch, chosenRewards, rejectedRewards), count)
            .Add(MetricNames.RewardMargin, chosenRewards.Sum() - rejectedRewards.Sum(), count)
            .Add(MetricNames.ChosenLogps, pairs.Chosen.Value.ToArray<double>().Sum(), count)
            .Add(MetricNames.RejectedLogps, pairs.Rejected.Value.ToArray<double>().Sum(), count);
        AddLogits(metrics, MetricNames.ChosenLogits, pairs.Answers, pairs.ChosenSegments);
        AddLogits(metrics, MetricNames.RejectedLogits, pairs.Answers, pairs.RejectedSegments);
        AddAccuracy(metrics, pairs.Answers, pairs.ChosenSegments);
        AddEntropy(metrics, pairs.Answers);
        return metrics;
    }

    /// <summary>Mean logit over the vocabulary and the labels of some answers.</summary>
    internal static void AddLogits(MetricSums metrics, string name, AnswerMeasurement answers, IEnumerable<int> segments)
    {
        foreach (var segment in segments)
        {
            var count = answers.Labels.CountOf(segment);
            var logits = answers.Statistics.MeanLogits.AsSpan((int)answers.Labels.Offsets[segment], count);
            metrics.Add(name, logits.ToArray().Sum(logit => (double)logit), count);
        }
    }

    /// <summary>Mean entropy of what the labels of all answers were predicted with.</summary>
    internal static void AddEntropy(MetricSums metrics, AnswerMeasurement answers)
    {
        foreach (var segment in answers.Segments)
        {
            var count = answers.Labels.CountOf(segment);
            var entropies = answers.Statistics.Entropies.AsSpan((int)answers.Labels.Offsets[segment], count);
            metrics.Add(MetricNames.Entropy, entropies.ToArray().Sum(entropy => (double)entropy), count);
        }
    }

    private static double[] Rewards(Tensor logps, Tensor reference, double beta) => logps.Subtract(reference).Multiply(beta).ToArray<double>();

    private static void AddAccuracy(MetricSums metrics, AnswerMeasurement answers, IEnumerable<int> segments)
    {
        foreach (var segment in segments)
        {
            var count = answers.Labels.CountOf(segment);
            var correct = answers.Statistics.IsCorrect.AsSpan((int)answers.Labels.Offsets[segment], count).Count(true);
            metrics.Add(MetricNames.TokenAccuracy, correct, count);
        }
    }
}
