using Handbook.Autograd;
using Handbook.Torch;

namespace Handbook.Training.Objectives.Preference;

/// <summary>What losses look at of some pairs, [pairs] each, as tensors that outlive the tape of their micro-batch.</summary>
internal sealed record PairValues(
    Tensor Chosen, Tensor Rejected, Tensor ReferenceChosen, Tensor ReferenceRejected, Tensor ChosenTokens, Tensor RejectedTokens,
    Tensor? Weights)
{
    /// <summary>Number of pairs.</summary>
    internal long Count => Chosen.ElementCount;

    internal static PairValues Of(PairScores scores, StepTensors kept) => new(
        kept.Keep(scores.ChosenLogps.Value), kept.Keep(scores.RejectedLogps.Value), kept.Keep(scores.ReferenceChosenLogps.Value),
        kept.Keep(scores.ReferenceRejectedLogps.Value), kept.Keep(scores.ChosenTokenCounts.Value),
        kept.Keep(scores.RejectedTokenCounts.Value),
        scores.Weights is { } weights ? kept.Keep(weights.Value) : null);

    /// <summary>The pairs of all parts, in order.</summary>
    internal static PairValues Join(IReadOnlyList<PairValues> parts)
    {
        Tensor Of(Func<PairValues, Tensor> side) => Operator.Call("aten::cat"u8, default, parts.Select(side).ToArray(), 0L);
        return new PairValues(
            Of(part => part.Chosen), Of(part => part.Rejected), Of(part => part.ReferenceChosen), Of(part => part.ReferenceRejected),
            Of(part => part.ChosenTokens), Of(part => part.RejectedTokens), parts[0].Weights is null ? null : Of(part => part.Weights!));
    }

    /// <summary>The pairs as losses see them, with leaves for the policy's log-probabilities.</summary>
    internal PairScores Scores(Tape tape, Divergence divergence) => PairScores.Of(
        tape, divergence, new Variable(Chosen, requiresGrad: true), new Variable(Rejected, requiresGrad: true),
        new Variable(ReferenceChosen),
        new Variable(ReferenceRejected), new Variable(ChosenTokens), new Variable(RejectedTokens))
        with { Weights = Weights is null ? null : new Variable(Weights) };
}
