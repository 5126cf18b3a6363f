using Handbook.Autograd;
using Handbook.Autograd.Elementary;
using Handbook.Data.Packing;
using Handbook.Torch;
using Handbook.Training.Artefacts;
using Handbook.Training.Options;

namespace Handbook.Training.Objectives.Preference;

/// <summary>
/// DPO and its family: one or several losses of pairs, weighted (a mixture is MPO, arXiv:2411.10442), over the pairs of the
/// accumulated batch. A completion sees its prompt as a shared prefix or in a copy of its own; the numbers are the same.
/// </summary>
public sealed class PreferenceObjective : IObjective
{
    private readonly IPolicy policy;
    private readonly IReferenceLogps reference;
    private readonly PreferenceOptions options;
    private readonly Divergence divergence;
    private readonly LossSettings settings;
    private readonly IReadOnlyList<(PreferenceLoss Loss, double Weight)> losses;
    private readonly RewardBaseline baseline = new();

    /// <summary>Takes the policy, where the reference's log-probabilities come from, and the recipe's settings.</summary>
    /// <exception cref="UserErrorException">An unknown loss or divergence, or weights that do not match the losses.</exception>
    public PreferenceObjective(IPolicy policy, IReferenceLogps reference, PreferenceOptions options)
    {
        (this.policy, this.reference, this.options) = (policy, options.ReferenceFree ? new NoReference() : reference, options);
        divergence = new Divergence(options.FDivergence, options.FAlphaDivergenceCoefficient);
        settings = new LossSettings(options.Beta, options.LabelSmoothing, options.DiscopopTau);
        var weights = options.LossWeights ?? [.. options.LossTypes.Select(_ => 1.0)];
        if (weights.Count != options.LossTypes.Count)
            throw new UserErrorException($"loss_weights: {Quantity.Of(weights.Count, "weight")} for "
                + $"{Quantity.Of(options.LossTypes.Count, "loss", "losses")} in loss_type.");
        losses = [.. options.LossTypes.Zip(weights, (name, weight) => (PreferenceLossTable.Find(name), weight))];
    }

    /// <summary>Weight of the chosen completions' mean negative log-likelihood: <c>rpo_alpha</c> and the loss <c>sft</c>.</summary>
    private double LikelihoodWeight => (options.RpoAlpha ?? 0) + losses.Where(loss => loss.Loss.PerPair is null).Sum(loss => loss.Weight);

    /// <summary>True when a pair's gradient depends on the other pairs of the batch.</summary>
    private bool SeesWholeBatch =>
        HasBaseline || (options.UseWeighting && LikelihoodWeight > 0) || losses.Any(loss => loss.Loss.SeesWholeBatch);

    private bool HasBaseline => options.RunningBaseline && losses.Any(loss => loss.Loss.TakesBaseline);

    /// <summary>
    /// Begins a step. A loss that looks at the whole batch needs every pair's log-probabilities before the first backward
    /// pass: they are computed once without recording, and the loss's gradients with respect to them kept.
    /// </summary>
    public ObjectiveStep Begin(IReadOnlyList<TokenBatch> microBatches, StepTotals totals)
    {
        var kept = new StepTensors();
        var known = new StepReference(reference, kept);
        baseline.Forget();
        var shares = microBatches.Count < 2 || !SeesWholeBatch ? null : BatchGradient.Of(
            microBatches, (silent, batch) => Scores(silent, Measure(silent, batch, known)), divergence,
            (tape, scores) => PairLoss(tape, scores, totals), kept);
        return new ObjectiveStep((tape, batch) => Compute(tape, batch, totals, Measure(tape, batch, known), shares?[batch]), kept);
    }

    private ObjectiveResult Compute(Tape tape, TokenBatch batch, StepTotals totals, PairMeasurement pairs, BatchGradient? share)
    {
        var (loss, meanWeight) = share is null ? Alone(tape, pairs, totals) : (share.Surrogate(tape, pairs), share.MeanWeight);
        var readings = new Readings();
        PairMetrics.Add(readings, batch, pairs, settings.Beta);
        if (LikelihoodWeight is > 0 and var weight)
        {
            var (sum, count) = pairs.Completions.NegativeLikelihood(tape, pairs.Chosen.Segments);
            readings.Add(MetricNames.NegativeLikelihood, sum.Value, count);
            // WPO weighs the likelihood term by the mean weight of the batch's pairs.
            var weighed = meanWeight is null ? sum : tape.Multiply(sum, new Variable(meanWeight));
            loss = tape.Add(loss, tape.Scale(weighed, weight / totals.ChosenTokenCount));
        }
        return new ObjectiveResult(pairs.Completions.States.AddRouter(tape, loss, totals, readings), readings);
    }

    /// <inheritdoc/>
    public void Stepped(int done)
    {
        baseline.Settle();
        reference.Stepped(done);
    }

    /// <inheritdoc/>
    public IEnumerable<(string Name, Tensor Tensor)> State() => [.. reference.State(), .. HasBaseline ? baseline.State() : []];

    /// <inheritdoc/>
    public void Load(Func<string, Tensor?> find)
    {
        reference.Load(find);
        if (HasBaseline)
            baseline.Load(find);
    }

    private (Variable Loss, Tensor? MeanWeight) Alone(Tape tape, PairMeasurement pairs, StepTotals totals)
    {
        var scores = Scores(tape, pairs);
        return (PairLoss(tape, scores, totals), scores.MeanWeight());
    }

    private PairMeasurement Measure(Tape tape, TokenBatch batch, IReferenceLogps known) =>
        PairMeasurement.Of(tape, policy, known, batch, options.LdAlpha);

    private PairScores Scores(Tape tape, PairMeasurement pairs) => pairs.Scores(
        tape, divergence, options.UseWeighting ? PairWeights.OfLikeness(pairs.Completions, options.WeightLimit) : null);

    /// <summary>These pairs' share of the mean over all pairs.</summary>
    private Variable PairLoss(Tape tape, PairScores scores, StepTotals totals)
    {
        var used = HasBaseline
            ? settings with { Baseline = new Variable(baseline.Including(Rewards(scores), totals.IsTraining)) } : settings;
        Variable? sum = null;
        foreach (var (loss, weight) in losses)
        {
            if (loss.PerPair is not { } perPair)
                continue;
            var each = perPair(tape, scores, used);
            if (scores.Weights is { } weights)
                each = tape.Multiply(each, weights);
            var term = tape.Scale(tape.Sum(each), weight / totals.PairCount);
            sum = sum is null ? term : tape.Add(sum, term);
        }
        return sum ?? tape.Scale(tape.Sum(scores.Chosen.Logps), 0);
    }

    private Tensor Rewards(PairScores scores) => Operator.Call(
        "aten::cat"u8, default, new[] { scores.Chosen.Scores.Value, scores.Rejected.Scores.Value }, 0L).Multiply(settings.Beta);
}
