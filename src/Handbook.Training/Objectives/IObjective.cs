using Handbook.Autograd;
using Handbook.Autograd.Elementary;
using Handbook.Data.Packing;
using Handbook.Torch;
using Handbook.Training.Artefacts;

namespace Handbook.Training.Objectives;

/// <summary>What the micro-batches of one optimizer step add up to; a loss is normalised over the whole step, never over a part.</summary>
/// <param name="Step">0-based number of the optimizer step (of an evaluation: 0).</param>
/// <param name="MicroBatchCount">Micro-batches.</param>
/// <param name="ExampleCount">Rows, or pairs of a preference set.</param>
/// <param name="LossTokenCount">Tokens that count in the loss.</param>
/// <param name="IsTraining">False in an evaluation, which leaves no trace in the objective's state.</param>
public readonly record struct StepTotals(int Step, int MicroBatchCount, int ExampleCount, long LossTokenCount, bool IsTraining = true);

/// <summary>What an objective made of a micro-batch.</summary>
/// <param name="Loss">Scalar; the sum over a step's micro-batches is the step's loss.</param>
/// <param name="Metrics">What else is reported.</param>
public sealed record ObjectiveResult(Variable Loss, MetricSums Metrics)
{
    /// <summary>The result with what the model itself adds: the mean over the step's micro-batches.</summary>
    internal static ObjectiveResult Of(Tape tape, Variable loss, MetricSums metrics, HiddenStates states, StepTotals totals)
    {
        if (states.Router is not { } router)
            return new ObjectiveResult(loss, metrics);
        var share = tape.Scale(router.Value, router.Coefficient / totals.MicroBatchCount);
        return new ObjectiveResult(tape.Add(loss, share), metrics.Add(MetricNames.RouterLoss, router.Value.Value.Item(), 1));
    }
}

/// <summary>
/// A training method: how per-token log-probabilities become a loss and its metrics. The loop knows nothing else of it.
/// </summary>
public interface IObjective
{
    /// <summary>Sees all micro-batches of a step before the first is computed, for losses that look at the whole batch.</summary>
    void Prepare(IReadOnlyList<TokenBatch> microBatches, StepTotals totals)
    {
    }

    /// <summary>Computes the loss of one micro-batch, recorded on the tape when it records.</summary>
    ObjectiveResult Compute(Tape tape, TokenBatch batch, StepTotals totals);

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
