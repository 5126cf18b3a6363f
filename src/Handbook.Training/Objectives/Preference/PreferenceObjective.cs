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
    private readonly PreferenceOptions options;
    private readonly Divergence divergence;
    private readonly LossSettings settings;
    private readonly IReadOnlyList<(PreferenceLoss Loss, double Weight)> losses;
    private readonly Queue<BatchGradient> wholeBatch = new();
    private int pairTotal;
    private int chosenTokenTotal;

    /// <summary>Takes the policy, where the reference's log-probabilities come from, and the recipe's settings.</summary>
    /// <exception cref="UserErrorException">An unknown loss or divergence, or weights that do not match the losses.</exception>
    public PreferenceObjective(IPolicy policy, IReferenceLogps reference, PreferenceOptions options)
    {
        (this.policy, this.reference, this.options) = (policy, options.ReferenceFree ? new NoReference() : reference, options);
        divergence = new Divergence(options.FDivergence, options.FAlphaDivergenceCoefficient);
        settings = new LossSettings(options.Beta, options.LabelSmoothing, options.DiscopopTau);
        var weights = options.LossWeights ?? [.. options.LossTypes.Select(_ => 1.0)];
        if (weights.Count != options.LossTypes.Count)
            throw new UserErrorException($"loss_weights: {weights.Count} weights for {options.LossTypes.Count} losses in loss_type.");
        losses = [.. options.LossTypes.Zip(weights, (name, weight) => (PreferenceLossTable.Find(name), weight))];
    }

    /// <summary>Weight of the chosen answers' mean negative log-likelihood: <c>rpo_alpha</c> and the loss <c>sft</c>.</summary>
    private double LikelihoodWeight => (options.RpoAlpha ?? 0) + losses.Where(loss => loss.Loss.PerPair is null).Sum(loss => loss.Weight);

    /// <summary>
    /// Counts the pairs. A loss that looks at the whole batch needs every pair's log-probabilities before the first backward
    /// pass: they are computed once without recording, and the loss's gradients with respect to them kept
    /// (Gao et al. 2021, arXiv:2101.06983).
    /// </summary>
    public void Prepare(IReadOnlyList<TokenBatch> microBatches, StepTotals totals)
    {
        pairTotal = microBatches.Sum(batch => batch.Answers.Length / 2);
        chosenTokenTotal = microBatches.Sum(ChosenTokenCount);
        wholeBatch.Clear();
        if (microBatches.Count < 2 || !losses.Any(loss => loss.Loss.SeesWholeBatch))
            return;
        using var scope = new TensorScope();
        using var silent = new Tape(isRecording: false);
        var parts = microBatches.Select(batch => PairMeasurement.Of(silent, policy, reference, batch, options.LdAlpha)).ToList();
        foreach (var gradient in Differentiate(parts))
            wholeBatch.Enqueue(gradient);
    }

    /// <inheritdoc/>
    public ObjectiveResult Compute(Tape tape, TokenBatch batch, StepTotals totals)
    {
        var pairs = PairMeasurement.Of(tape, policy, reference, batch, options.LdAlpha);
        var loss = wholeBatch.TryDequeue(out var known) ? known.Surrogate(tape, pairs) : PairLoss(tape, pairs.Scores(tape, divergence));
        var metrics = PairMetrics.Of(pairs, settings.Beta);
        if (LikelihoodWeight is > 0 and var weight)
        {
            var (sum, count) = pairs.ChosenNegativeLikelihood(tape);
            metrics.Add(MetricNames.NegativeLikelihood, sum.Value.Item(), count);
            loss = tape.Add(loss, tape.Scale(sum, weight / chosenTokenTotal));
        }
        return new ObjectiveResult(loss, metrics);
    }

    /// <inheritdoc/>
    public void Stepped(int done) => reference.Stepped(done);

    /// <inheritdoc/>
    public IEnumerable<(string Name, Tensor Tensor)> State() => reference.State();

    /// <inheritdoc/>
    public void Load(Func<string, Tensor?> find) => reference.Load(find);

    /// <summary>The batch's share of the mean over all pairs.</summary>
    private Variable PairLoss(Tape tape, PairScores scores)
    {
        Variable? sum = null;
        foreach (var (loss, weight) in losses)
        {
            if (loss.PerPair is not { } perPair)
                continue;
            var term = tape.Scale(tape.Sum(perPair(tape, scores, settings)), weight / pairTotal);
            sum = sum is null ? term : tape.Add(sum, term);
        }
        return sum ?? tape.Scale(tape.Sum(scores.ChosenLogps), 0);
    }

    private IEnumerable<BatchGradient> Differentiate(List<PairMeasurement> parts)
    {
        using var tape = new Tape();
        using var chosen = new Variable(Join(parts, part => part.Chosen.Value), requiresGrad: true);
        using var rejected = new Variable(Join(parts, part => part.Rejected.Value), requiresGrad: true);
        var whole = parts[0] with
        {
            Chosen = chosen,
            Rejected = rejected,
            ReferenceChosen = Join(parts, part => part.ReferenceChosen),
            ReferenceRejected = Join(parts, part => part.ReferenceRejected),
        };
        var counts = (Join(parts, part => part.ChosenTokenCounts()), Join(parts, part => part.RejectedTokenCounts()));
        var loss = PairLoss(tape, whole.Scores(tape, divergence, counts));
        tape.Backward(loss);
        var (value, start) = (loss.Value.Item() / parts.Count, 0);
        foreach (var part in parts)
        {
            yield return new BatchGradient(value, Part(chosen, start, part.PairCount), Part(rejected, start, part.PairCount));
            start += part.PairCount;
        }
        chosen.ClearGrad();
        rejected.ClearGrad();
    }

    private static double[] Part(Variable variable, int start, int count) => variable.Grad!.Narrow(0, start, count).ToArray<double>();

    private static Tensor Join(List<PairMeasurement> parts, Func<PairMeasurement, Tensor> of) =>
        Operator.Call("aten::cat"u8, default, parts.Select(of).ToArray(), 0L);

    private static int ChosenTokenCount(TokenBatch batch)
    {
        var labels = BatchLabels.Of(batch);
        return batch.Answers.Where((_, i) => i % 2 == 0).Sum(labels.CountOf);
    }

    /// <summary>A micro-batch's share of a loss over the whole batch, and its gradient with respect to the log-probabilities.</summary>
    private sealed record BatchGradient(double Value, double[] Chosen, double[] Rejected)
    {
        /// <summary>A linear function of the log-probabilities with this value and this gradient.</summary>
        internal Variable Surrogate(Tape tape, PairMeasurement pairs)
        {
            var dtype = pairs.Chosen.Value.DType;
            var sum = tape.Add(
                tape.Sum(tape.Multiply(pairs.Chosen, new Variable(Tensor.From(Chosen).To(dtype)))),
                tape.Sum(tape.Multiply(pairs.Rejected, new Variable(Tensor.From(Rejected).To(dtype)))));
            return tape.AddConstant(sum, Value - sum.Value.Item());
        }
    }
}
