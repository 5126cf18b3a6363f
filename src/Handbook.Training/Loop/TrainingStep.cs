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
/// <param name="world">All ranks; null for this one alone.</param>
public sealed class TrainingStep(
    IObjective objective, IReadOnlyList<Parameter> parameters, IOptimizer optimizer, double maxGradNorm, int seed, World? world = null)
{
    private readonly World world = world ?? World.Single;

    /// <summary>Trains on this rank's micro-batches of the step with this 0-based number.</summary>
    /// <exception cref="TrainingDivergedException">A loss or the gradient is not finite; the weights are as before.</exception>
    public StepOutcome Run(int step, double learningRate, IReadOnlyList<TokenBatch> microBatches)
    {
        var totals = StepTotals.Of(microBatches, world);
        var metrics = new MetricSums();
        var loss = 0.0;
        using (var work = objective.Begin(microBatches, totals))
        {
            for (var i = 0; i < microBatches.Count; i++)
                loss += Differentiate(work, microBatches[i], step, RandomSeed(step, i), metrics);
        }
        var scale = optimizer.LossScale.Value;
        var norm = GradientNorm.Global(parameters, world) / scale;
        OperationTimes.Current?.Mark(nameof(GradientNorm), "update");
        if (!optimizer.LossScale.Follow(norm))
        {
            Forget();
            throw new TrainingDivergedException("grad_norm", norm, step + 1, [.. microBatches.SelectMany(batch => batch.ExampleIds)]);
        }
        if (double.IsFinite(norm))
            optimizer.Step(learningRate, GradientNorm.ClipFactor(norm, maxGradNorm) / scale);
        OperationTimes.Current?.Mark(nameof(Optimizer), "update");
        Forget();
        objective.Stepped(step + 1);
        return new StepOutcome(loss, norm, learningRate, microBatches.Sum(batch => (long)batch.TokenCount), metrics,
            optimizer.LossScale.Shown)
            .SumOver(world);
    }

    private double Differentiate(ObjectiveStep work, TokenBatch batch, int step, ulong randomSeed, MetricSums metrics)
    {
        using var scope = new TensorScope();
        using var tape = new Tape(isRecording: true, randomSeed);
        var result = work.Compute(tape, batch);
        tape.Backward(result.Loss, optimizer.LossScale.Of(result.Loss.Value));
        // Not before: a device has the backward pass to do while this waits.
        if (!double.IsFinite(result.LossValue))
        {
            Forget();
            throw new TrainingDivergedException("loss", result.LossValue, step + 1, batch.ExampleIds);
        }
        metrics.Add(result.Metrics);
        return result.LossValue;
    }

    private void Forget()
    {
        foreach (var parameter in parameters)
            parameter.ZeroGrad();
    }

    // A pure function of run, step and micro-batch: a resumed run draws what the uninterrupted one would have drawn.
    private ulong RandomSeed(int step, int microBatch) =>
        new RandomStream((ulong)(uint)seed).Bits(((ulong)(uint)step << 24) + (ulong)(uint)microBatch);
}
