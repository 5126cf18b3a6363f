using Handbook.Autograd;
using Handbook.Data.Packing;
using Handbook.Training.Artefacts;
using Handbook.Training.Options;

namespace Handbook.Training.Objectives;

/// <summary>
/// Continued pretraining and supervised fine-tuning: the mean negative log-probability of the label tokens. Which tokens are
/// labels is the batch's business; the mean is over all labels of the accumulated batch, so that the number of micro-batches
/// changes nothing.
/// </summary>
public sealed class NextTokenObjective(IPolicy policy, LossNormalization normalization = LossNormalization.Tokens) : IObjective
{
    /// <inheritdoc/>
    public double LossWeight(StepTotals totals) => totals.LossTokenCount;

    /// <inheritdoc/>
    public ObjectiveStep Begin(IReadOnlyList<TokenBatch> microBatches, StepTotals totals) =>
        new((tape, batch) => Compute(tape, batch, totals));

    private ObjectiveResult Compute(Tape tape, TokenBatch batch, StepTotals totals)
    {
        var states = policy.Forward(tape, batch);
        var labels = BatchLabels.Of(batch);
        var divisor = normalization == LossNormalization.MicroBatches
            ? batch.LossTokenCount * totals.MicroBatchCount
            : totals.LossTokenCount;
        var (loss, statistics) = states.Head.Loss(tape, states.Hidden, labels.Rows, labels.Labels, [(float)(-1 / divisor)]);
        var readings = new Readings();
        var (correct, entropies) = (readings.Of(statistics.IsCorrect), readings.Of(statistics.Entropies));
        readings.Add(metrics => metrics
            .Add(MetricNames.TokenAccuracy, correct.Values.Sum(), batch.LossTokenCount)
            .Add(MetricNames.Entropy, entropies.Values.Sum(), batch.LossTokenCount));
        return new ObjectiveResult(states.AddRouter(tape, loss, totals, readings), readings);
    }
}
