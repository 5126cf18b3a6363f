using Handbook.Autograd;
using Handbook.Autograd.Elementary;
using Handbook.Torch;

namespace Handbook.Training.Objectives.Preference;

/// <summary>A micro-batch's share of a loss over the whole batch, and its gradient with respect to the log-probabilities.</summary>
/// <param name="Value">The share, a scalar.</param>
/// <param name="Chosen">Gradient with respect to the log-probabilities of chosen, [pairs].</param>
/// <param name="Rejected">Gradient with respect to those of rejected, [pairs].</param>
internal sealed record BatchGradient(Tensor Value, Tensor Chosen, Tensor Rejected)
{
    /// <summary>
    /// Differentiates a loss of all pairs, part by part: the gradients with respect to the log-probabilities are all that the
    /// backward passes through the model need (Gao et al. 2021, arXiv:2101.06983).
    /// </summary>
    internal static BatchGradient[] Of(
        IReadOnlyList<PairValues> parts, Divergence divergence, Func<Tape, PairScores, Variable> loss, StepTensors kept)
    {
        using var scope = new TensorScope();
        using var tape = new Tape();
        var whole = PairValues.Join(parts).Scores(tape, divergence);
        var total = loss(tape, whole);
        tape.Backward(total);
        var share = kept.Keep(total.Value.Multiply(1.0 / parts.Count));
        var (shares, start) = (new BatchGradient[parts.Count], 0L);
        for (var i = 0; i < shares.Length; i++)
        {
            shares[i] = new BatchGradient(share, Part(whole.ChosenLogps, start, parts[i].Count),
                Part(whole.RejectedLogps, start, parts[i].Count));
            start += parts[i].Count;
        }
        whole.ChosenLogps.ZeroGrad();
        whole.RejectedLogps.ZeroGrad();
        return shares;

        Tensor Part(Variable leaf, long first, long count) =>
            kept.Keep(leaf.Grad is { } gradient
                ? gradient.Narrow(0, first, count).Clone() : Tensor.Zeros([count], leaf.Value.DType, leaf.Value.Device));
    }

    /// <summary>A linear function of the log-probabilities with this value and this gradient.</summary>
    internal Variable Surrogate(Tape tape, PairMeasurement pairs)
    {
        var sum = tape.Add(Product(tape, pairs.Chosen, Chosen), Product(tape, pairs.Rejected, Rejected));
        return tape.Add(sum, new Variable(Value.Subtract(sum.Value)));
    }

    private static Variable Product(Tape tape, Variable logps, Tensor gradient) => tape.Sum(tape.Multiply(logps, new Variable(gradient)));
}
