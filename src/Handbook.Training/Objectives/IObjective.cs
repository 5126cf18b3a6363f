using Handbook.Autograd;
using Handbook.Data.Packing;

namespace Handbook.Training.Objectives;

/// <summary>
/// A training method: how per-token log-probabilities become a loss and its metrics. The loop knows nothing else of it. What it carries
/// from step to step is a moving reference or a running mean.
/// </summary>
public interface IObjective : ISavedState
{
    /// <summary>Begins a step: losses that look at the whole batch do so here, before the first micro-batch is computed.</summary>
    ObjectiveStep Begin(IReadOnlyList<TokenBatch> microBatches, StepTotals totals);

    /// <summary>What the loss is a mean over, in <paramref name="totals"/>: evaluation weighs its batches by it.</summary>
    double LossWeight(StepTotals totals) => totals.ExampleCount;

    /// <summary>Hears that the weights have moved: <paramref name="done"/> optimizer steps are done now.</summary>
    void Stepped(int done)
    {
    }
}

/// <summary>An objective during one optimizer step, or one batch of an evaluation: what it found out beforehand goes with it.</summary>
/// <param name="compute">The loss of one of the step's micro-batches.</param>
/// <param name="owned">What is freed with it; null for nothing.</param>
public sealed class ObjectiveStep(Func<Tape, TokenBatch, ObjectiveResult> compute, IDisposable? owned = null) : IDisposable
{
    /// <summary>Computes the loss of one micro-batch, recorded on the tape when it records.</summary>
    public ObjectiveResult Compute(Tape tape, TokenBatch batch) => compute(tape, batch);

    /// <inheritdoc/>
    public void Dispose() => owned?.Dispose();
}

/// <summary>What an objective made of a micro-batch.</summary>
/// <param name="loss">Scalar; the sum over a step's micro-batches is the step's loss.</param>
/// <param name="readings">What is reported of it.</param>
public sealed class ObjectiveResult(Variable loss, Readings readings)
{
    private readonly Reading value = readings.Of(loss.Value);

    /// <summary>The loss, for the backward pass.</summary>
    public Variable Loss => loss;

    /// <summary>The loss as a number. The first look at it, or at the metrics, waits for the device.</summary>
    public double LossValue => value.Value;

    /// <summary>What else is reported.</summary>
    public MetricSums Metrics => readings.Metrics;
}
