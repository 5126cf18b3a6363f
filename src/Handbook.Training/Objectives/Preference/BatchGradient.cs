using Handbook.Autograd;
using Handbook.Autograd.Elementary;
using Handbook.Data.Packing;
using Handbook.Torch;

namespace Handbook.Training.Objectives.Preference;

/// <summary>A micro-batch's share of a loss over the whole batch, and its gradient with respect to the log-probabilities.</summary>
/// <param name="Value">The share, a scalar.</param>
/// <param name="Chosen">Gradient with respect to the log-probabilities of chosen, [pairs].</param>
/// <param name="Rejected">Gradient with respect to those of rejected, [pairs].</param>
/// <param name="MeanWeight">Mean weight of all pairs of the batch, a scalar; null where they have none.</param>
internal sealed record BatchGradient(Tensor Value, Tensor Chosen, Tensor Rejected, Tensor? MeanWeight)
{
    /// <summary>
    /// Differentiates a loss of all pairs of a step, micro-batch by micro-batch: the gradients with respect to the log-probabilities are
    /// all that the backward passes through the model need (Gao et al. 2021, arXiv:2101.06983).
    /// </summary>
    /// <param name="microBatches">The step's.</param>
    /// <param name="measure">Scores of a micro-batch's pairs, without recording.</param>
    /// <param name="divergence">What makes scores of log-ratios.</param>
    /// <param name="loss">The loss of all pairs.</param>
    /// <param name="kept">Holds what is found until the step is over.</param>
    internal static Dictionary<TokenBatch, BatchGradient> Of(
        IReadOnlyList<TokenBatch> microBatches, Func<Tape, TokenBatch, PairScores> measure, Divergence divergence,
        Func<Tape, PairScores, Variable> loss, StepTensors kept)
    {
        PairValues[] parts = [.. microBatches.Select(batch => Measure(batch, measure, kept))];
        using var scope = new TensorScope();
        using var tape = new Tape();
        var whole = PairValues.Join(parts).Scores(tape, divergence);
        var meanWeight = whole.MeanWeight() is { } mean ? kept.Keep(mean) : null;
        var total = loss(tape, whole);
        tape.Backward(total);
        var share = kept.Keep(total.Value.Multiply(1.0 / parts.Length));
        var (shares, start) = (new Dictionary<TokenBatch, BatchGradient>(), 0L);
        foreach (var (batch, part) in microBatches.Zip(parts))
        {
            shares.Add(batch, new BatchGradient(
                share, Part(whole.Chosen.Logps, start, part.Count), Part(whole.Rejected.Logps, start, part.Count), meanWeight));
            start += part.Count;
        }
        whole.Chosen.Logps.ZeroGrad();
        whole.Rejected.Logps.ZeroGrad();
        return shares;

        Tensor Part(Variable leaf, long first, long count) =>
            kept.Keep(leaf.Grad is { } gradient
                ? gradient.Narrow(0, first, count).Clone() : Tensor.Zeros([count], leaf.Value.DType, leaf.Value.Device));
    }

    /// <summary>A linear function of the log-probabilities with this value and this gradient.</summary>
    internal Variable Surrogate(Tape tape, PairMeasurement pairs)
    {
        var sum = tape.Add(Product(tape, pairs.Chosen.Logps, Chosen), Product(tape, pairs.Rejected.Logps, Rejected));
        return tape.Add(sum, new Variable(Value.Subtract(sum.Value)));
    }

    private static PairValues Measure(TokenBatch batch, Func<Tape, TokenBatch, PairScores> measure, StepTensors kept)
    {
        using var scope = new TensorScope();
        using var silent = new Tape(isRecording: false);
        return PairValues.Of(measure(silent, batch), kept);
    }

    private static Variable Product(Tape tape, Variable logps, Tensor gradient) => tape.Sum(tape.Multiply(logps, new Variable(gradient)));
}
