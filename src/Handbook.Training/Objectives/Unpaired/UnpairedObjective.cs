using Handbook.Autograd;
using Handbook.Autograd.Elementary;
using Handbook.Data.Packing;
using Handbook.Torch;
using Handbook.Training.Artefacts;
using Handbook.Training.Objectives.Preference;
using Handbook.Training.Options;

namespace Handbook.Training.Objectives.Unpaired;

/// <summary>
/// KTO (<c>handbook kto</c>: <c>loss_type</c> kto or apo_zero_unpaired) and BCO (<c>loss_type</c> bco): completions that were liked or not,
/// without pairs. Batches carry labels (<see cref="TokenBatch.Desirable"/>) and, for KTO, KL batches.
/// The loss is the mean over all completions of the accumulated batch, and
/// so is what rewards are compared with.
/// </summary>
public sealed class UnpairedObjective : IObjective
{
    private readonly IPolicy policy;
    private readonly IReferenceLogps reference;
    private readonly PreferenceOptions options;
    private readonly UnpairedLoss loss;
    private readonly RewardBaseline running = new();

    /// <summary>Takes the policy, where the reference's log-probabilities come from, and the recipe's settings.</summary>
    /// <exception cref="UserErrorException">An unknown loss, or several.</exception>
    public UnpairedObjective(IPolicy policy, IReferenceLogps reference, PreferenceOptions options)
    {
        if (options.LossTypes.Count != 1)
            throw new UserErrorException($"loss_type: unpaired data takes one loss, got {options.LossTypes.Count}.");
        (this.policy, this.reference, this.options) = (policy, options.ReferenceFree ? new NoReference() : reference, options);
        loss = UnpairedLossTable.Find(options.LossTypes[0]);
    }

    /// <inheritdoc/>
    public ObjectiveStep Begin(IReadOnlyList<TokenBatch> microBatches, StepTotals totals)
    {
        var kept = new StepTensors();
        var known = new StepReference(reference, kept);
        running.Forget();
        // A running mean whose single micro-batch decides is known when that has been computed.
        var baseline = loss.Baseline switch
        {
            BaselineKind.Divergence => Divergence(microBatches, known),
            BaselineKind.RunningMean when microBatches.Count > 1 => WholeMean(microBatches, known, totals),
            _ => null,
        };
        if (baseline is not null)
            kept.Keep(baseline);
        return new ObjectiveStep((tape, batch) => Compute(tape, batch, totals, known, baseline), kept);
    }

    private ObjectiveResult Compute(Tape tape, TokenBatch batch, StepTotals totals, IReferenceLogps known, Tensor? baseline)
    {
        var completions = CompletionMeasurement.Of(tape, policy, known, batch);
        var rewards = Rewards(tape, completions);
        if (loss.Baseline == BaselineKind.RunningMean)
            baseline ??= running.Including(rewards.Value, totals.IsTraining);
        var advantages = baseline is null ? rewards : tape.Subtract(rewards, new Variable(baseline));
        var signs = Each(batch, rewards, liked: 1, disliked: -1);
        var weights = Each(batch, rewards, options.DesirableWeight, options.UndesirableWeight);
        var each = loss.PerCompletion(tape, tape.Multiply(advantages, signs));
        var sum = tape.Scale(tape.Sum(tape.Multiply(each, weights)), 1.0 / totals.CompletionCount);
        var readings = new Readings();
        var (values, logps, labels) = (readings.Of(rewards.Value), readings.Of(completions.Logps.Value),
            new CompletionMetrics(readings, completions));
        var compared = baseline is null ? null : readings.Of(baseline);
        readings.Add(metrics =>
        {
            var count = values.Values.Length;
            Add(metrics, batch, completions, values.Values, logps.Values, labels);
            if (loss.Baseline == BaselineKind.Divergence)
                metrics.Add(MetricNames.Divergence, (compared?.Value ?? 0) / options.Beta * count, count);
            if (loss.Baseline == BaselineKind.RunningMean)
                metrics.Add(MetricNames.RewardMean, compared!.Value * count, count);
        });
        return new ObjectiveResult(completions.States.AddRouter(tape, sum, totals, readings), readings);
    }

    /// <inheritdoc/>
    public void Stepped(int done)
    {
        running.Settle();
        reference.Stepped(done);
    }

    /// <inheritdoc/>
    public IEnumerable<(string Name, Tensor Tensor)> State() =>
        [.. reference.State(), .. loss.Baseline == BaselineKind.RunningMean ? running.State() : []];

    /// <inheritdoc/>
    public void Load(Func<string, Tensor?> find)
    {
        reference.Load(find);
        if (loss.Baseline == BaselineKind.RunningMean)
            running.Load(find);
    }

    /// <summary>
    /// Beta times KL(policy, reference), estimated as the mean log-ratio of completions to other prompts, at least 0,
    /// without gradient; null
    /// when there are none.
    /// </summary>
    private Tensor? Divergence(IReadOnlyList<TokenBatch> microBatches, IReferenceLogps known)
    {
        using var scope = new TensorScope();
        var logratios = microBatches.Select(batch => batch.KlBatch).OfType<TokenBatch>().Select(batch => SilentLogratios(batch, known))
            .ToArray();
        if (logratios.Length == 0)
            return null;
        var all = Operator.Call("aten::cat"u8, default, logratios, 0L);
        using var silent = new Tape(isRecording: false);
        var mean = new Variable(all.Sum().Multiply(1.0 / all.ElementCount));
        return scope.Keep(silent.Clamp(mean, 0, double.PositiveInfinity).Value.Multiply(options.Beta));
    }

    private Tensor WholeMean(IReadOnlyList<TokenBatch> microBatches, IReferenceLogps known, StepTotals totals)
    {
        using var scope = new TensorScope();
        var all = Operator.Call("aten::cat"u8, default, microBatches.Select(batch => SilentLogratios(batch, known)).ToArray(), 0L);
        return scope.Keep(running.Including(all.Multiply(options.Beta), totals.IsTraining));
    }

    private Tensor SilentLogratios(TokenBatch batch, IReferenceLogps known)
    {
        using var scope = new TensorScope();
        using var silent = new Tape(isRecording: false);
        var completions = CompletionMeasurement.Of(silent, policy, known, batch);
        return scope.Keep(completions.Logps.Value.Subtract(completions.Reference));
    }

    private Variable Rewards(Tape tape, CompletionMeasurement completions) =>
        tape.Scale(tape.Subtract(completions.Logps, new Variable(completions.Reference)), options.Beta);

    private static Variable Each(TokenBatch batch, Variable like, double liked, double disliked) =>
        new(Tensor.From<double>([.. batch.Desirable.Select(desirable => desirable ? liked : disliked)]).To(like.Value.DType)
            .To(like.Value.Device));

    private static void Add(
        MetricSums metrics, TokenBatch batch, CompletionMeasurement completions, double[] rewards, double[] logps, CompletionMetrics labels)
    {
        for (var i = 0; i < rewards.Length; i++)
        {
            var liked = batch.Desirable[i];
            metrics.Add(liked ? MetricNames.ChosenReward : MetricNames.RejectedReward, rewards[i], 1);
            metrics.Add(liked ? MetricNames.ChosenLogps : MetricNames.RejectedLogps, logps[i], 1);
            labels.AddLogits(metrics, liked ? MetricNames.ChosenLogits : MetricNames.RejectedLogits, [completions.Segments[i]]);
        }
        labels.AddEntropy(metrics);
        metrics.AddDifference(MetricNames.RewardMargin, MetricNames.ChosenReward, MetricNames.RejectedReward);
    }
}
