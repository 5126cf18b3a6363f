using Handbook.Autograd;
using Handbook.Autograd.Elementary;
using Handbook.Data.Packing;
using Handbook.Torch;
using Handbook.Training.Artefacts;
using Handbook.Training.Options;

namespace Handbook.Training.Objectives.RewardModel;

/// <summary>
/// Reward modelling (<c>handbook reward</c>): chosen completions shall score above rejected ones. A pair's score is read at the last token
/// of each completion, so a shared prompt is computed once. Margins come with the batch.
/// </summary>
/// <param name="scorer">The model in training.</param>
/// <param name="options">The centring coefficient.</param>
public sealed class RewardObjective(IRewardModel scorer, PreferenceOptions options) : IObjective
{
    /// <inheritdoc/>
    public ObjectiveStep Begin(IReadOnlyList<TokenBatch> microBatches, StepTotals totals) =>
        new((tape, batch) => Compute(tape, batch, totals));

    private ObjectiveResult Compute(Tape tape, TokenBatch batch, StepTotals totals)
    {
        var scores = scorer.Score(tape, batch, LastRows(batch));
        var (chosen, rejected) = (Side(tape, scores, 0), Side(tape, scores, 1));
        var margins = batch.Margins.Length == 0
            ? null : new Variable(Tensor.From(batch.Margins).To(scores.Value.DType).To(scores.Value.Device));
        var losses = BradleyTerryLoss.PerPair(tape, chosen, rejected, margins, options.CenterRewardsCoefficient);
        var readings = new Readings();
        var (higher, lower) = (readings.Of(chosen.Value), readings.Of(rejected.Value));
        readings.Add(metrics => Add(metrics, batch, higher.Values, lower.Values));
        return new ObjectiveResult(tape.Scale(tape.Sum(losses), 1.0 / totals.PairCount), readings);
    }

    private static void Add(MetricSums metrics, TokenBatch batch, double[] chosen, double[] rejected) => metrics
        .Add(MetricNames.MeanReward, chosen.Sum() + rejected.Sum(), 2 * chosen.Length)
        .Add(MetricNames.Accuracy, PairAccuracy.Count(batch, chosen, rejected), chosen.Length)
        .Add(MetricNames.Margin, chosen.Sum() - rejected.Sum(), chosen.Length)
        .AddExtreme(MetricNames.MinReward, Math.Min(chosen.Min(), rejected.Min()), Math.Min)
        .AddExtreme(MetricNames.MaxReward, Math.Max(chosen.Max(), rejected.Max()), Math.Max);

    private static int[] LastRows(TokenBatch batch)
    {
        var rows = new int[batch.Completions.Length];
        for (var i = 0; i < rows.Length; i++)
            rows[i] = batch.Layout.Segments[batch.Completions[i]].End - 1;
        return rows;
    }

    private static Variable Side(Tape tape, Variable scores, int side) => tape.IndexSelect(
        scores, 0, Tensor.From<long>([.. Enumerable.Range(0, (int)scores.Value.ElementCount / 2).Select(pair => 2L * pair + side)])
            .To(scores.Value.Device));
}
