using Handbook.Autograd;
using Handbook.Autograd.Elementary;
using Handbook.Data.Packing;
using Handbook.Training.Artefacts;
using Handbook.Training.Options;

namespace Handbook.Training.Objectives.Preference;

/// <summary>
/// ORPO (<c>handbook orpo</c>; Hong et al. 2024, arXiv:2403.07691): the negative log-likelihood of the chosen sequences plus beta times
/// the odds-ratio loss; there is no reference. The likelihood is over the labels of the chosen answers and of their prompts: with rows
/// made by <c>ToSharedPrefix(promptLabels: true)</c> that is the whole sequence, as in the original.
/// </summary>
/// <param name="policy">The model in training.</param>
/// <param name="options">Beta.</param>
public sealed class OddsRatioObjective(IPolicy policy, PreferenceOptions options) : IObjective
{
    private int pairTotal;
    private int likelihoodTokenTotal;

    /// <inheritdoc/>
    public void Prepare(IReadOnlyList<TokenBatch> microBatches, StepTotals totals)
    {
        pairTotal = microBatches.Sum(batch => batch.Answers.Length / 2);
        likelihoodTokenTotal = microBatches.Sum(LikelihoodTokenCount);
    }

    /// <inheritdoc/>
    public ObjectiveResult Compute(Tape tape, TokenBatch batch, StepTotals totals)
    {
        var pairs = PairMeasurement.Of(tape, policy, new NoReference(), batch).PerToken(tape);
        var logOdds = OddsRatioLoss.LogOdds(tape, pairs.Chosen, pairs.Rejected);
        var ratios = OddsRatioLoss.Ratios(tape, logOdds);
        var (negativeLikelihood, count) = pairs.Answers.NegativeLikelihood(tape, LikelihoodSegments(batch));
        var loss = tape.Subtract(
            tape.Scale(negativeLikelihood, 1.0 / likelihoodTokenTotal), tape.Scale(tape.Sum(ratios), options.Beta / pairTotal));
        var metrics = PairMetrics.Of(batch, pairs, options.Beta)
            .Add(MetricNames.NegativeLikelihood, negativeLikelihood.Value.Item(), count)
            .Add(MetricNames.LogOddsRatio, ratios.Value.Sum().Item(), pairs.PairCount)
            .Add(MetricNames.LogOddsChosen, logOdds.Value.Sum().Item(), pairs.PairCount);
        return ObjectiveResult.Of(tape, loss, metrics, pairs.Answers.States, totals);
    }

    /// <summary>The chosen answers and the prompts that they share with their rivals.</summary>
    private static IEnumerable<int> LikelihoodSegments(TokenBatch batch)
    {
        for (var i = 0; i < batch.Answers.Length; i += 2)
        {
            var chosen = batch.Answers[i];
            if (batch.Layout.Segments[chosen].Prefix is >= 0 and var prompt)
                yield return prompt;
            yield return chosen;
        }
    }

    private static int LikelihoodTokenCount(TokenBatch batch)
    {
        var labels = BatchLabels.Of(batch);
        return LikelihoodSegments(batch).Sum(labels.CountOf);
    }
}
