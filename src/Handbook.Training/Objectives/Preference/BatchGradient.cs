using Handbook.Autograd;
using Handbook.Autograd.Elementary;
using Handbook.Torch;

namespace Handbook.Training.Objectives.Preference;

/// <summary>A micro-batch's share of a loss over the whole batch, and its gradient with respect to the log-probabilities.</summary>
/// <param name="Value">The share.</param>
/// <param name="Chosen">Gradient with respect to the log-probabilities of chosen, [pairs].</param>
/// <param name="Rejected">Gradient with respect to those of rejected, [pairs].</param>
internal sealed record BatchGradient(double Value, double[] Chosen, double[] Rejected)
{
    /// <summary>
    /// Differentiates a loss of all pairs, part by part: the gradients with respect to the log-probabilities are all that the
    /// backward passes through the model need (Gao et al. 2021, arXiv:2101.06983).
    /// </summary>
    internal static BatchGradient[] Of(IReadOnlyList<PairValues> parts, Divergence divergence, Func<Tape, PairScores, Variable> loss)
    {
        using var scope = new TensorScope();
        using var tape = new Tape();
        var whole = PairValues.Join(parts).Scores(tape, divergence);
        var total = loss(tape, whole);
        tape.Backward(total);
        var (chosen, rejected) = (Gradient(whole.ChosenLogps), Gradient(whole.RejectedLogps));
        var (shares, start) = (new BatchGradient[parts.Count], 0);
        for (var i = 0; i < shares.Length; i++)
        {
            var end = start + parts[i].Count;
            shares[i] = new BatchGradient(total.Value.Item() / parts.Count, chosen[start..end], rejected[start..end]);
            start = end;
        }
        return shares;
    }

    /// <summary>A linear function of the log-probabilities with this value and this gradient.</summary>
    internal Variable Surrogate(Tape tape, PairMeasurement pairs)
    {
        var sum = tape.Add(Product(tape, pairs.Chosen, Chosen), Product(tape, pairs.Rejected, Rejected));
        return tape.AddConstant(sum, Value - sum.Value.Item());
    }

    private static double[] Gradient(Variable leaf)
    {
        var gradient = leaf.Grad?.ToArray<double>() ?? new double[leaf.Value.ElementCount];
        leaf.ClearGrad();
        return gradient;
    }

    private static Variable Product(Tape tape, Variable logps, double[] gradient) =>
        tape.Sum(tape.Multiply(logps, new Variable(Tensor.From(gradient).To(logps.Value.DType).To(logps.Value.Device))));
}
