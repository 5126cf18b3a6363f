using Handbook.Autograd;
using Handbook.Autograd.Elementary;
using Handbook.Data.Packing;
using Handbook.Models;
using Handbook.Training.Artefacts;

namespace Handbook.Training.Objectives;

/// <summary>What tokens became, and the head that turns it into log-probabilities.</summary>
/// <param name="Hidden">Hidden states, [tokens, width].</param>
/// <param name="Head">The head.</param>
public sealed record HiddenStates(Variable Hidden, LanguageHead Head)
{
    /// <summary>What the model itself adds to every objective's loss; null for nothing.</summary>
    public RouterAuxLoss? Router { get; init; }

    /// <summary>An objective's loss and what the model itself adds, a mean over the step's micro-batches, which is reported.</summary>
    internal Variable AddRouter(Tape tape, Variable loss, StepTotals totals, Readings readings)
    {
        if (Router is not { } router)
            return loss;
        readings.Add(MetricNames.RouterAuxLoss, router.Value.Value, 1);
        return tape.Add(loss, tape.Scale(router.Value, router.Coefficient / totals.MicroBatchCount));
    }
}

/// <summary>The loss by which a mixture of experts keeps its experts evenly used, of one micro-batch.</summary>
/// <param name="Value">Scalar, reported as it is.</param>
/// <param name="Coefficient">What it is multiplied with in the loss (<c>router_aux_loss_coef</c>).</param>
public sealed record RouterAuxLoss(Variable Value, double Coefficient);

/// <summary>A language model as objectives see it: tokens in, hidden states out.</summary>
public interface IPolicy
{
    /// <summary>Runs the model over a packed batch.</summary>
    HiddenStates Forward(Tape tape, TokenBatch batch);
}
