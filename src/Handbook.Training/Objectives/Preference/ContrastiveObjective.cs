using Handbook.Autograd;
using Handbook.Autograd.Elementary;
using Handbook.Data.Packing;
using Handbook.Training.Artefacts;
using Handbook.Training.Options;

namespace Handbook.Training.Objectives.Preference;

/// <summary>
/// CPO and SimPO: a loss of pairs without a reference plus <c>cpo_alpha</c> times the mean negative log-likelihood of the chosen
/// answers' tokens. SimPO is <c>loss_type: simpo</c> with <c>cpo_alpha: 0</c>.
/// </summary>
public sealed class ContrastiveObjective : IObjective
{
    private readonly IPolicy policy;
    private readonly double likelihoodWeight;
    private readonly ContrastiveLoss loss;
    private int pairTotal;
    private int chosenTokenTotal;

    /// <summary>Takes the policy and the recipe's settings.</summary>
    /// <exception cref="UserErrorException">An unknown loss, or several.</exception>
    public ContrastiveObjective(IPolicy policy, PreferenceOptions options)
    {
        if (options.LossTypes.Count != 1)
            throw new UserErrorException($"loss_type: CPO takes one loss, got {options.LossTypes.Count}; there are {string.Join(", ", ContrastiveLoss.Names)}.");
        this.policy = policy;
        loss = new ContrastiveLoss(options.LossTypes[0], options.Beta, options.LabelSmoothing, options.SimpoGamma, options.AlphaPoAlpha);
        loss.Check();
        likelihoodWeight = loss.HasLikelihood ? options.CpoAlpha : 0;
    }

    /// <inheritdoc/>
    public void Prepare(IReadOnlyList<TokenBatch> microBatches, StepTotals totals)
    {
        pairTotal = microBatches.Sum(batch => batch.Answers.Length / 2);
        chosenTokenTotal = microBatches.Sum(PairMeasurement.ChosenTokenCount);
    }

    /// <inheritdoc/>
    public ObjectiveResult Compute(Tape tape, TokenBatch batch, StepTotals totals)
    {
        var pairs = PairMeasurement.Of(tape, policy, new NoReference(), batch);
        if (loss.IsPerToken)
            pairs = pairs.PerToken(tape);
        var sum = tape.Scale(tape.Sum(loss.PerPair(tape, pairs.Chosen, pairs.Rejected)), 1.0 / pairTotal);
        var metrics = PairMetrics.Of(batch, pairs, Rewards(pairs.Chosen), Rewards(pairs.Rejected));
        if (likelihoodWeight > 0)
        {
            var (negativeLikelihood, count) = pairs.Answers.NegativeLikelihood(tape, pairs.ChosenSegments);
            metrics.Add(MetricNames.NegativeLikelihood, negativeLikelihood.Value.Item(), count);
            sum = tape.Add(sum, tape.Scale(negativeLikelihood, likelihoodWeight / chosenTokenTotal));
        }
        return ObjectiveResult.Of(tape, sum, metrics, pairs.Answers.States, totals);
    }

    private double[] Rewards(Variable logps)
    {
        using var silent = new Tape(isRecording: false);
        return loss.Rewards(silent, logps).Value.Multiply(loss.Beta).ToArray<double>();
    }
}
