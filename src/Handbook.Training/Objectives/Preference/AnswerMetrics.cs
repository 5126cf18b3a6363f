using Handbook.Training.Artefacts;

namespace Handbook.Training.Objectives.Preference;

/// <summary>Metrics of what the labels of answers were predicted with, made once their numbers have been read.</summary>
/// <param name="readings">Who reads them.</param>
/// <param name="answers">The answers.</param>
internal sealed class AnswerMetrics(Readings readings, AnswerMeasurement answers)
{
    private readonly Reading meanLogits = readings.Of(answers.Statistics.MeanLogits);
    private readonly Reading entropies = readings.Of(answers.Statistics.Entropies);
    private readonly Reading correct = readings.Of(answers.Statistics.IsCorrect);

    /// <summary>Mean logit over the vocabulary and the labels of some answers.</summary>
    internal void AddLogits(MetricSums metrics, string name, IEnumerable<int> segments) => AddSums(metrics, name, meanLogits, segments);

    /// <summary>How many labels of some answers were the likeliest token.</summary>
    internal void AddAccuracy(MetricSums metrics, IEnumerable<int> segments) =>
        AddSums(metrics, MetricNames.TokenAccuracy, correct, segments);

    /// <summary>Mean entropy of what the labels of all answers were predicted with.</summary>
    internal void AddEntropy(MetricSums metrics) => AddSums(metrics, MetricNames.Entropy, entropies, answers.Segments);

    private void AddSums(MetricSums metrics, string name, Reading reading, IEnumerable<int> segments)
    {
        foreach (var segment in segments)
        {
            var count = answers.Labels.CountOf(segment);
            metrics.Add(name, reading.Values.AsSpan((int)answers.Labels.Offsets[segment], count).ToArray().Sum(), count);
        }
    }
}
