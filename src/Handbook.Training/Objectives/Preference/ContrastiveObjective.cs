using Handbook.Autograd;
using Handbook.Autograd.Elementary;
using Handbook.Data.Packing;
using Handbook.Torch;
using Handbook.Training.Artefacts;
using Handbook.Training.Options;

namespace Handbook.Training.Objectives.Preference;

/// <summary>
/// CPO and SimPO: a loss of pairs without a reference plus <c>cpo_alpha</c> times the mean negative log-likelihood of the chosen
/// completions' tokens. SimPO is <c>loss_type: simpo</c> with <c>cpo_alpha: 0</c>.
/// </summary>
public sealed class ContrastiveObjective : IObjective
{
    private readonly IPolicy policy;
    private readonly double likelihoodWeight;
    private readonly ContrastiveLoss loss;

    /// <summary>Takes the policy and the recipe's settings.</summary>
    /// <exception cref="UserErrorException">An unknown loss, or several.</exception>
    public ContrastiveObjective(IPolicy policy, PreferenceOptions options)
    {
        if (options.LossTypes.Count != 1)
            throw new UserErrorException(
                $"loss_type: CPO takes one loss, got {options.LossTypes.Count}; there are {string.Join(", ", ContrastiveLoss.Names)}.");
        this.policy = policy;
        loss = new ContrastiveLoss(options.LossTypes[0], options.Beta, options.LabelSmoothing, options.SimpoGamma, options.AlphaPoAlpha);
        loss.Check();
        likelihoodWeight = loss.HasLikelihood ? options.CpoAlpha : 0;
    }

    /// <inheritdoc/>
    public ObjectiveStep Begin(IReadOnlyList<TokenBatch> microBatches, StepTotals totals) =>
        new((tape, batch) => Compute(tape, batch, totals));

    private ObjectiveResult Compute(Tape tape, TokenBatch batch, StepTotals totals)
    {
        var pairs = PairMeasurement.Of(tape, policy, new NoReference(), batch);
        if (loss.IsPerToken)
            pairs = pairs.PerToken(tape);
        var sum = tape.Scale(tape.Sum(loss.PerPair(tape, pairs.Chosen.Logps, pairs.Rejected.Logps)), 1.0 / totals.PairCount);
        var readings = new Readings();
        PairMetrics.Add(readings, batch, pairs, Rewards(pairs.Chosen.Logps), Rewards(pairs.Rejected.Logps));
        if (likelihoodWeight > 0)
        {
            var (negativeLikelihood, count) = pairs.Completions.NegativeLikelihood(tape, pairs.Chosen.Segments);
            readings.Add(MetricNames.NegativeLikelihood, negativeLikelihood.Value, count);
            sum = tape.Add(sum, tape.Scale(negativeLikelihood, likelihoodWeight / totals.ChosenTokenCount));
        }
        return new ObjectiveResult(pairs.Completions.States.AddRouter(tape, sum, totals, readings), readings);
    }

    private Tensor Rewards(Variable logps)
    {
        using var silent = new Tape(isRecording: false);
        return loss.Rewards(silent, logps).Value.Multiply(loss.Beta);
    }
}
