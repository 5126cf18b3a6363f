using Handbook.Autograd;
using Handbook.Torch;
using Handbook.Training.Artefacts;
using Handbook.Training.Objectives;
using Handbook.Training.Progress;

namespace Handbook.Training.Loop;

/// <summary>Measures the objective on held-out rows, without recording or changing anything.</summary>
/// <param name="objective">What is measured.</param>
/// <param name="rows">The held-out rows.</param>
/// <param name="batchSize">Rows at once.</param>
/// <param name="clock">Where time comes from.</param>
/// <param name="world">All ranks, which share the batches; null for this one alone.</param>
public sealed class Evaluator(IObjective objective, TrainingRows rows, int batchSize, TimeProvider clock, World? world = null)
{
    private readonly World world = world ?? World.Single;

    /// <summary>
    /// Computes <c>eval_loss</c> (the mean over all label tokens, or over all examples where the loss is one of examples) and the
    /// objective's metrics.
    /// </summary>
    /// <param name="step">Optimizer steps done.</param>
    /// <param name="epoch">Epochs done.</param>
    /// <param name="progress">Hears of every batch.</param>
    /// <param name="stop">Ends it early.</param>
    public MetricsRow Run(int step, double epoch, ITrainingProgress progress, CancellationToken stop)
    {
        var start = clock.GetTimestamp();
        var sums = new MetricSums();
        for (var i = world.Rank; i < BatchCount; i += world.Size)
        {
            stop.ThrowIfCancellationRequested();
            Measure(Batch(i), sums);
            progress.Advance("evaluation", i + 1, BatchCount);
        }
        sums.SumOver(world);
        var seconds = clock.GetElapsedTime(start).TotalSeconds;
        var values = sums.Means().Select(metric => (MetricNames.EvaluationPrefix + metric.Name, metric.Value)).ToList();
        values.Add((MetricNames.EvaluationRuntime, seconds));
        values.Add((MetricNames.EvaluationSamplesPerSecond, rows.ExampleCount / seconds));
        values.Add((MetricNames.EvaluationStepsPerSecond, BatchCount / seconds));
        return MetricsRow.Of(step, epoch, [.. values]);
    }

    /// <summary>Names of an evaluation's metrics, looked for in batch after batch until the asked one is among them.</summary>
    /// <param name="asked">The name to look for.</param>
    /// <param name="stop">Ends it early.</param>
    public IReadOnlyList<string> FindNames(string asked, CancellationToken stop)
    {
        var sums = new MetricSums();
        string[] Names() =>
        [
            .. sums.Means().Select(metric => MetricNames.EvaluationPrefix + metric.Name),
            MetricNames.EvaluationRuntime, MetricNames.EvaluationSamplesPerSecond, MetricNames.EvaluationStepsPerSecond,
        ];
        for (var i = 0; i < BatchCount; i++)
        {
            stop.ThrowIfCancellationRequested();
            Measure(Batch(i), sums);
            if (Names().Contains(asked))
                break;
        }
        return Names();
    }

    private int BatchCount => (rows.Count + batchSize - 1) / batchSize;

    private int[] Batch(int index) => [.. Enumerable.Range(index * batchSize, Math.Min(batchSize, rows.Count - index * batchSize))];

    private void Measure(int[] indices, MetricSums sums)
    {
        var batch = rows.Batch(indices);
        var totals = StepTotals.Of([batch], isTraining: false);
        using var scope = new TensorScope();
        using var tape = new Tape(isRecording: false);
        using var work = objective.Begin([batch], totals);
        var result = work.Compute(tape, batch);
        var weight = objective.LossWeight(totals);
        sums.Add(MetricNames.Loss, result.LossValue * weight, weight);
        sums.Add(result.Metrics);
        sums.EndStep();
    }
}
