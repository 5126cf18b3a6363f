using Handbook.Training.Artefacts;

namespace Handbook.Training.Objectives.Preference;

/// <summary>Metrics of what the labels of completions were predicted with, made once their numbers have been read.</summary>
/// <param name="readings">Who reads them.</param>
/// <param name="completions">The completions.</param>
internal sealed class CompletionMetrics(Readings readings, CompletionMeasurement completions)
{
    private readonly Reading meanLogits = readings.Of(completions.Statistics.MeanLogits);
    private readonly Reading entropies = readings.Of(completions.Statistics.Entropies);
    private readonly Reading correct = readings.Of(completions.Statistics.IsCorrect);

    /// <summary>Mean logit over the vocabulary and the labels of some completions.</summary>
    internal void AddLogits(MetricSums metrics, string name, IEnumerable<int> segments) => AddSums(metrics, name, meanLogits, segments);

    /// <summary>How many labels of some completions were the likeliest token.</summary>
    internal void AddAccuracy(MetricSums metrics, IEnumerable<int> segments) =>
        AddSums(metrics, MetricNames.TokenAccuracy, correct, segments);

    /// <summary>Mean entropy of what the labels of all completions were predicted with.</summary>
    internal void AddEntropy(MetricSums metrics) => AddSums(metrics, MetricNames.Entropy, entropies, completions.Segments);

    private void AddSums(MetricSums metrics, string name, Reading reading, IEnumerable<int> segments)
    {
        foreach (var segment in segments)
        {
            var count = completions.Labels.CountOf(segment);
            metrics.Add(name, reading.Values.AsSpan((int)completions.Labels.Offsets[segment], count).ToArray().Sum(), count);
        }
    }
}
