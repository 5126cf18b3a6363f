using Handbook.Autograd;
using Handbook.Autograd.Elementary;
using Handbook.Data.Packing;
using Handbook.Torch;
using Handbook.Training.Artefacts;

namespace Handbook.Training.Objectives;

/// <summary>What an objective made of a micro-batch.</summary>
public sealed class ObjectiveResult
{
    private readonly Readings readings;
    private readonly Func<MetricSums> metrics;
    private readonly Reading loss;
    private MetricSums? measured;

    /// <summary>Takes what was computed.</summary>
    /// <param name="loss">Scalar; the sum over a step's micro-batches is the step's loss.</param>
    /// <param name="readings">What the metrics are made of.</param>
    /// <param name="metrics">Makes them, once everything has been read.</param>
    public ObjectiveResult(Variable loss, Readings readings, Func<MetricSums> metrics)
    {
        (Loss, this.readings, this.metrics) = (loss, readings, metrics);
        this.loss = readings.Of(loss.Value);
    }

    /// <summary>The loss, for the backward pass.</summary>
    public Variable Loss { get; }

    /// <summary>The loss as a number. The first look at it, or at the metrics, waits for the device.</summary>
    public double LossValue
    {
        get
        {
            _ = Metrics;
            return loss.Value;
        }
    }

    /// <summary>What else is reported.</summary>
    public MetricSums Metrics
    {
        get
        {
            if (measured is null)
            {
                readings.Read(DeviceWait.Loss);
                measured = metrics();
            }
            return measured;
        }
    }

    /// <summary>The result with what the model itself adds: the mean over the step's micro-batches.</summary>
    internal static ObjectiveResult Of(
        Tape tape, Variable loss, Readings readings, Func<MetricSums> metrics, HiddenStates states, StepTotals totals)
    {
        if (states.Router is not { } router)
            return new ObjectiveResult(loss, readings, metrics);
        var share = tape.Scale(router.Value, router.Coefficient / totals.MicroBatchCount);
        var value = readings.Of(router.Value.Value);
        return new ObjectiveResult(tape.Add(loss, share), readings, () => metrics().Add(MetricNames.RouterLoss, value.Value, 1));
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

/// <summary>A training method: how per-token log-probabilities become a loss and its metrics. The loop knows nothing else of it.</summary>
public interface IObjective
{
    /// <summary>Begins a step: losses that look at the whole batch do so here, before the first micro-batch is computed.</summary>
    ObjectiveStep Begin(IReadOnlyList<TokenBatch> microBatches, StepTotals totals);

    /// <summary>What the loss is a mean over, in <paramref name="totals"/>: evaluation weighs its batches by it.</summary>
    double LossWeight(StepTotals totals) => totals.ExampleCount;

    /// <summary>Hears that the weights have moved: <paramref name="done"/> optimizer steps are done now.</summary>
    void Stepped(int done)
    {
    }

    /// <summary>
    /// What the objective itself carries from step to step (a moving reference, a running mean), by name; checkpoints keep it. The
    /// tensors are the live ones.
    /// </summary>
    IEnumerable<(string Name, Tensor Tensor)> State() => [];

    /// <summary>Copies a saved state back.</summary>
    /// <param name="find">Gives the tensor saved under a name, or null.</param>
    /// <exception cref="UserErrorException">A tensor is missing or has another shape.</exception>
    void Load(Func<string, Tensor?> find)
    {
    }
}
