using Handbook.Autograd;
using Handbook.Autograd.Elementary;
using Handbook.Data.Packing;
using Handbook.Training.Artefacts;
using Handbook.Training.Options;

namespace Handbook.Training.Objectives.Preference;

/// <summary>
/// ORPO (<c>handbook orpo</c>; Hong et al. 2024, arXiv:2403.07691): the negative log-likelihood of the chosen sequences plus beta times
/// the odds-ratio loss; there is no reference. The likelihood is over the labels of the chosen completions and of their prompts: with rows
/// made by <c>ToSharedPrefix(promptLabels: true)</c> that is the whole sequence, as in the original.
/// </summary>
/// <param name="policy">The model in training.</param>
/// <param name="options">Beta.</param>
public sealed class OddsRatioObjective(IPolicy policy, PreferenceOptions options) : IObjective
{
    /// <inheritdoc/>
    public ObjectiveStep Begin(IReadOnlyList<TokenBatch> microBatches, StepTotals totals) =>
        new((tape, batch) => Compute(tape, batch, totals));

    private ObjectiveResult Compute(Tape tape, TokenBatch batch, StepTotals totals)
    {
        var pairs = PairMeasurement.Of(tape, policy, new NoReference(), batch).PerToken(tape);
        var logOdds = OddsRatioLoss.LogOdds(tape, pairs.Chosen.Logps, pairs.Rejected.Logps);
        var ratios = OddsRatioLoss.Ratios(tape, logOdds);
        var (negativeLikelihood, count) = pairs.Completions.NegativeLikelihood(tape, StepTotals.ChosenSegments(batch));
        var loss = tape.Subtract(
            tape.Scale(negativeLikelihood, 1.0 / totals.ChosenTokenCount),
            tape.Scale(tape.Sum(ratios), options.Beta / totals.PairCount));
        var readings = new Readings();
        PairMetrics.Add(readings, batch, pairs, options.Beta);
        readings.Add(MetricNames.NegativeLikelihood, negativeLikelihood.Value, count);
        readings.Add(MetricNames.LogOddsRatio, ratios.Value.Sum(), pairs.PairCount);
        readings.Add(MetricNames.LogOddsChosen, logOdds.Value.Sum(), pairs.PairCount);
        return new ObjectiveResult(pairs.Completions.States.AddRouter(tape, loss, totals, readings), readings);
    }
}
