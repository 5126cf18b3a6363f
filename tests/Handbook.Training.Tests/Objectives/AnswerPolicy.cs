using Handbook.Autograd;
using Handbook.Data.Packing;
using Handbook.Torch;
using Handbook.Training.Objectives;

namespace Handbook.Training.Tests.Objectives;

/// <summary>
/// A policy that gives answers of one token the log-probabilities it is told. Its vocabulary has two tokens whose logits are log p and
/// log (1 - p), so that their log-sum-exp is 0.
/// </summary>
/// <param name="logps">The log-probabilities that a batch's answers shall have, in order.</param>
internal sealed class AnswerPolicy(Func<TokenBatch, double[]> logps) : IPolicy
{
    private Variable? logits;

    /// <summary>A sequence of two tokens whose second is the answer.</summary>
    internal static TokenBatch Row(int id) => new([0, 0], [false, true], SequenceLayout.Documents([2]), [id], [0]);

    public HiddenStates Forward(Tape tape, TokenBatch batch)
    {
        double[] values = [.. logps(batch).SelectMany(logp => new[] { logp, Math.Log(-Expm1(logp)), 0, 0 })];
        var given = new Variable(Tensor.From(values).View(batch.TokenCount, 2), requiresGrad: tape.IsRecording);
        if (tape.IsRecording)
            logits = given;
        return new HiddenStates(given, LogitsPolicy.HeadOf(Tensor.From([1.0, 0, 0, 1]).View(2, 2)));
    }

    /// <summary>
    /// The loss's gradient with respect to each log-probability of the last recorded batch: the logit's is 1 - p times that.
    /// </summary>
    internal double[] Gradients()
    {
        var (values, gradients) = (logits!.Value.ToArray<double>(), logits.Grad!.ToArray<double>());
        return [.. Enumerable.Range(0, values.Length / 4).Select(i => gradients[4 * i] / -Expm1(values[4 * i]))];
    }

    private static double Expm1(double x) => Math.Abs(x) < 1e-5 ? x + x * x / 2 + x * x * x / 6 : Math.Exp(x) - 1;
}
