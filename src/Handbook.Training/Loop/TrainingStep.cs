using Handbook.Autograd;
using Handbook.Data.Packing;
using Handbook.Torch;
using Handbook.Training.Objectives;
using Handbook.Training.Optimizers;

namespace Handbook.Training.Loop;

/// <summary>One optimizer step: forward and backward of its micro-batches, clipping, update.</summary>
/// <param name="objective">Turns a micro-batch into a loss.</param>
/// <param name="parameters">What is trained.</param>
/// <param name="optimizer">Moves them.</param>
/// <param name="maxGradNorm">Global norm above which gradients are scaled down; 0 never does.</param>
/// <param name="seed">Seed of dropout and embedding noise.</param>
public sealed class TrainingStep(
    IObjective objective, IReadOnlyList<Parameter> parameters, IOptimizer optimizer, double maxGradNorm, int seed)
{
    /// <summary>Trains on the micro-batches of the step with this 0-based number.</summary>
    /// <exception cref="TrainingDivergedException">A loss or the gradient is not finite; the weights are as before.</exception>
    public StepOutcome Run(int step, double learningRate, IReadOnlyList<TokenBatch> microBatches)
    {
        var totals = new StepTotals(
            step, microBatches.Count, microBatches.Sum(batch => batch.ExampleIds.Length), microBatches.Sum(batch => (long)batch.LossTokenCount));
        objective.Prepare(microBatches, totals);
        var metrics = new MetricSums();
        var loss = 0.0;
        for (var i = 0; i < microBatches.Count; i++)
            loss += Differentiate(microBatches[i], totals, RandomSeed(step, i), metrics);

        var norm = GradientNorm.Global(parameters);
        OperationTimes.Current?.Mark(nameof(GradientNorm), "update");
        if (!double.IsFinite(norm))
        {
            Forget();
            throw new TrainingDivergedException("grad_norm", norm, step + 1, [.. microBatches.SelectMany(batch => batch.ExampleIds)]);
        }
        optimizer.Step(learningRate, GradientNorm.ClipFactor(norm, maxGradNorm));
        OperationTimes.Current?.Mark(nameof(Optimizer), "update");
        Forget();
        objective.Stepped(step + 1);
        return new StepOutcome(loss, norm, learningRate, microBatches.Sum(batch => (long)batch.TokenCount), metrics);
    }

    private double Differentiate(TokenBatch batch, StepTotals totals, ulong randomSeed, MetricSums metrics)
    {
        using var scope = new TensorScope();
        using var tape = new Tape(isRecording: true, randomSeed);
        var result = objective.Compute(tape, batch, totals);
        var loss = result.Loss.Value.Item();
        if (!double.IsFinite(loss))
        {
            Forget();
            throw new TrainingDivergedException("loss", loss, totals.Step + 1, batch.ExampleIds);
        }
        tape.Backward(result.Loss);
        metrics.Add(result.Metrics);
        return loss;
    }

    private void Forget()
    {
        foreach (var parameter in parameters)
            parameter.ClearGrad();
    }

    // A pure function of run, step and micro-batch: a resumed run draws what the uninterrupted one would have drawn.
    private ulong RandomSeed(int step, int microBatch) =>
        new RandomStream((ulong)(uint)seed).Bits(((ulong)(uint)step << 24) + (ulong)(uint)microBatch);
}
