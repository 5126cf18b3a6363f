using Handbook.Autograd;
using Handbook.Autograd.Elementary;
using Handbook.Data.Packing;
using Handbook.Torch;
using Handbook.Training.Artefacts;
using Handbook.Training.Objectives.Preference;
using Handbook.Training.Options;

namespace Handbook.Training.Objectives.Unpaired;

/// <summary>
/// KTO (<c>handbook kto</c>: <c>loss_type</c> kto or apo_zero_unpaired) and BCO (<c>loss_type</c> bco): answers that were liked or not,
/// without pairs. Batches carry verdicts and, for KTO, contrasts. The loss is the mean over all answers of the accumulated batch, and
/// so is what rewards are compared with.
/// </summary>
public sealed class UnpairedObjective : IObjective
{
    private readonly IPolicy policy;
    private readonly IReferenceLogps reference;
    private readonly StepReference stepReference;
    private readonly PreferenceOptions options;
    private readonly UnpairedLoss loss;
    private readonly RewardBaseline running = new();
    private int answerTotal;

    /// <summary>Known for the whole accumulated batch after <see cref="Prepare"/>, or null when its single micro-batch decides.</summary>
    private double? baseline;

    /// <summary>Takes the policy, where the reference's log-probabilities come from, and the recipe's settings.</summary>
    /// <exception cref="UserErrorException">An unknown loss, or several.</exception>
    public UnpairedObjective(IPolicy policy, IReferenceLogps reference, PreferenceOptions options)
    {
        if (options.LossTypes.Count != 1)
            throw new UserErrorException($"loss_type: unpaired data takes one loss, got {options.LossTypes.Count}.");
        (this.policy, this.reference, this.options) = (policy, options.ReferenceFree ? new NoReference() : reference, options);
        stepReference = new StepReference(this.reference);
        loss = UnpairedLossTable.Find(options.LossTypes[0]);
    }

    /// <inheritdoc/>
    public void Prepare(IReadOnlyList<TokenBatch> microBatches, StepTotals totals)
    {
        stepReference.Forget();
        answerTotal = microBatches.Sum(batch => batch.Answers.Length);
        running.Begin(totals.IsTraining);
        baseline = loss.Baseline switch
        {
            BaselineKind.Divergence => options.Beta * Divergence(microBatches),
            BaselineKind.RunningMean => microBatches.Count == 1 ? null : running.Including([.. microBatches.SelectMany(SilentRewards)]),
            _ => 0,
        };
    }

    /// <inheritdoc/>
    public ObjectiveResult Compute(Tape tape, TokenBatch batch, StepTotals totals)
    {
        var answers = AnswerMeasurement.Of(tape, policy, stepReference, batch);
        var rewards = Rewards(tape, answers);
        var values = rewards.Value.ToArray<double>();
        var compared = baseline ?? running.Including(values);
        var signs = Each(batch, rewards, liked: 1, disliked: -1);
        var weights = Each(batch, rewards, options.DesirableWeight, options.UndesirableWeight);
        var each = loss.PerAnswer(tape, tape.Multiply(tape.AddConstant(rewards, -compared), signs));
        var sum = tape.Scale(tape.Sum(tape.Multiply(each, weights)), 1.0 / answerTotal);
        var metrics = Metrics(batch, answers, values);
        if (loss.Baseline == BaselineKind.Divergence)
            metrics.Add(MetricNames.Divergence, compared / options.Beta * values.Length, values.Length);
        if (loss.Baseline == BaselineKind.RunningMean)
            metrics.Add(MetricNames.RewardMean, compared * values.Length, values.Length);
        return ObjectiveResult.Of(tape, sum, metrics, answers.States, totals);
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

    /// <summary>KL(policy, reference), estimated as the mean log-ratio of answers to other prompts, at least 0, without gradient.</summary>
    private double Divergence(IReadOnlyList<TokenBatch> microBatches)
    {
        double[] logratios = [.. microBatches.Select(batch => batch.Contrast).OfType<TokenBatch>().SelectMany(SilentLogratios)];
        return logratios.Length == 0 ? 0 : Math.Max(0, logratios.Average());
    }

    private double[] SilentLogratios(TokenBatch batch)
    {
        using var scope = new TensorScope();
        using var silent = new Tape(isRecording: false);
        var answers = AnswerMeasurement.Of(silent, policy, stepReference, batch);
        return answers.Logps.Value.Subtract(answers.Reference).ToArray<double>();
    }

    private IEnumerable<double> SilentRewards(TokenBatch batch) => SilentLogratios(batch).Select(logratio => options.Beta * logratio);

    private Variable Rewards(Tape tape, AnswerMeasurement answers) =>
        tape.Scale(tape.Subtract(answers.Logps, new Variable(answers.Reference)), options.Beta);

    private static Variable Each(TokenBatch batch, Variable like, double liked, double disliked) =>
        new(Tensor.From<double>([.. batch.Verdicts.Select(verdict => verdict ? liked : disliked)]).To(like.Value.DType).To(like.Value.Device));

    private static MetricSums Metrics(TokenBatch batch, AnswerMeasurement answers, double[] rewards)
    {
        var metrics = new MetricSums();
        var logps = answers.Logps.Value.ToArray<double>();
        for (var i = 0; i < rewards.Length; i++)
        {
            var liked = batch.Verdicts[i];
            metrics.Add(liked ? MetricNames.ChosenReward : MetricNames.RejectedReward, rewards[i], 1);
            metrics.Add(liked ? MetricNames.ChosenLogps : MetricNames.RejectedLogps, logps[i], 1);
            PairMetrics.AddLogits(metrics, liked ? MetricNames.ChosenLogits : MetricNames.RejectedLogits, answers, [answers.Segments[i]]);
        }
        PairMetrics.AddEntropy(metrics, answers);
        return metrics.AddDifference(MetricNames.RewardMargin, MetricNames.ChosenReward, MetricNames.RejectedReward);
    }
}
