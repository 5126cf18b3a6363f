using Handbook.Autograd;
using Handbook.Autograd.Elementary;
using Handbook.Data.Packing;
using Handbook.Torch;
using Handbook.Training.Artefacts;
using Handbook.Training.Options;

namespace Handbook.Training.Objectives.Preference;

/// <summary>
/// DPO and its family: one or several losses of pairs, weighted (a mixture is MPO, arXiv:2411.10442), over the pairs of the
/// accumulated batch. An answer sees its prompt as a shared prefix or in a copy of its own; the numbers are the same.
/// </summary>
public sealed class PreferenceObjective : IObjective
{
    private readonly IPolicy policy;
    private readonly IReferenceLogps reference;
    private readonly StepReference stepReference;
    private readonly PreferenceOptions options;
    private readonly Divergence divergence;
    private readonly LossSettings settings;
    private readonly IReadOnlyList<(PreferenceLoss Loss, double Weight)> losses;
    private readonly RewardBaseline baseline = new();
    private readonly Queue<BatchGradient> wholeBatch = new();
    private int pairTotal;
    private int chosenTokenTotal;

    /// <summary>Mean weight of the batch's pairs: WPO weighs the likelihood term too.</summary>
    private double likelihoodScale = 1;

    /// <summary>Takes the policy, where the reference's log-probabilities come from, and the recipe's settings.</summary>
    /// <exception cref="UserErrorException">An unknown loss or divergence, or weights that do not match the losses.</exception>
    public PreferenceObjective(IPolicy policy, IReferenceLogps reference, PreferenceOptions options)
    {
        (this.policy, this.reference, this.options) = (policy, options.ReferenceFree ? new NoReference() : reference, options);
        stepReference = new StepReference(this.reference);
        divergence = new Divergence(options.FDivergence, options.FAlphaDivergenceCoefficient);
        settings = new LossSettings(options.Beta, options.LabelSmoothing, options.DiscopopTau);
        var weights = options.LossWeights ?? [.. options.LossTypes.Select(_ => 1.0)];
        if (weights.Count != options.LossTypes.Count)
            throw new UserErrorException($"loss_weights: {Quantity.Of(weights.Count, "weight")} for {Quantity.Of(options.LossTypes.Count, "loss", "losses")} in loss_type.");
        losses = [.. options.LossTypes.Zip(weights, (name, weight) => (PreferenceLossTable.Find(name), weight))];
    }

    /// <summary>Weight of the chosen answers' mean negative log-likelihood: <c>rpo_alpha</c> and the loss <c>sft</c>.</summary>
    private double LikelihoodWeight => (options.RpoAlpha ?? 0) + losses.Where(loss => loss.Loss.PerPair is null).Sum(loss => loss.Weight);

    /// <summary>True when a pair's gradient depends on the other pairs of the batch.</summary>
    private bool SeesWholeBatch =>
        HasBaseline || (options.UseWeighting && LikelihoodWeight > 0) || losses.Any(loss => loss.Loss.SeesWholeBatch);

    private bool HasBaseline => options.RunningBaseline && losses.Any(loss => loss.Loss.TakesBaseline);

    /// <summary>
    /// Counts the pairs. A loss that looks at the whole batch needs every pair's log-probabilities before the first backward
    /// pass: they are computed once without recording, and the loss's gradients with respect to them kept.
    /// </summary>
    public void Prepare(IReadOnlyList<TokenBatch> microBatches, StepTotals totals)
    {
        stepReference.Forget();
        pairTotal = microBatches.Sum(batch => batch.Answers.Length / 2);
        chosenTokenTotal = microBatches.Sum(PairMeasurement.ChosenTokenCount);
        wholeBatch.Clear();
        baseline.Begin(totals.IsTraining);
        if (microBatches.Count < 2 || !SeesWholeBatch)
            return;
        PairValues[] parts = [.. microBatches.Select(Measure)];
        likelihoodScale = PairValues.Join(parts).Weights?.Average() ?? 1;
        foreach (var share in BatchGradient.Of(parts, divergence, PairLoss))
            wholeBatch.Enqueue(share);
    }

    /// <inheritdoc/>
    public ObjectiveResult Compute(Tape tape, TokenBatch batch, StepTotals totals)
    {
        var pairs = PairMeasurement.Of(tape, policy, stepReference, batch, options.LdAlpha);
        var loss = wholeBatch.TryDequeue(out var share) ? share.Surrogate(tape, pairs) : Alone(tape, pairs);
        var metrics = PairMetrics.Of(batch, pairs, settings.Beta);
        if (LikelihoodWeight is > 0 and var weight)
        {
            var (sum, count) = pairs.Answers.NegativeLikelihood(tape, pairs.ChosenSegments);
            metrics.Add(MetricNames.NegativeLikelihood, sum.Value.Item(), count);
            loss = tape.Add(loss, tape.Scale(sum, weight * likelihoodScale / chosenTokenTotal));
        }
        return ObjectiveResult.Of(tape, loss, metrics, pairs.Answers.States, totals);
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

    private Variable Alone(Tape tape, PairMeasurement pairs)
    {
        var scores = Scores(tape, pairs);
        likelihoodScale = scores.Weights?.Value.ToArray<double>().Average() ?? 1;
        return PairLoss(tape, scores);
    }

    private PairValues Measure(TokenBatch batch)
    {
        using var scope = new TensorScope();
        using var silent = new Tape(isRecording: false);
        return PairValues.Of(Scores(silent, PairMeasurement.Of(silent, policy, stepReference, batch, options.LdAlpha)));
    }

    private PairScores Scores(Tape tape, PairMeasurement pairs) =>
        pairs.Scores(tape, divergence) with { Weights = options.UseWeighting ? new Variable(pairs.Weights(options.WeightLimit)) : null };

    /// <summary>These pairs' share of the mean over all pairs.</summary>
    private Variable PairLoss(Tape tape, PairScores scores)
    {
        var used = HasBaseline ? settings with { Baseline = baseline.Including(Rewards(scores)) } : settings;
        Variable? sum = null;
        foreach (var (loss, weight) in losses)
        {
            if (loss.PerPair is not { } perPair)
                continue;
            var each = perPair(tape, scores, used);
            if (scores.Weights is { } weights)
                each = tape.Multiply(each, weights);
            var term = tape.Scale(tape.Sum(each), weight / pairTotal);
            sum = sum is null ? term : tape.Add(sum, term);
        }
        return sum ?? tape.Scale(tape.Sum(scores.ChosenLogps), 0);
    }

    private double[] Rewards(PairScores scores) =>
        [.. new[] { scores.ChosenScores, scores.RejectedScores }.SelectMany(side => side.Value.Multiply(settings.Beta).ToArray<double>())];
}
