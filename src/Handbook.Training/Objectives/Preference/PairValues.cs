using Handbook.Autograd;
using Handbook.Torch;

namespace Handbook.Training.Objectives.Preference;

/// <summary>What losses look at of some pairs, as tensors that outlive the tape of their micro-batch.</summary>
/// <param name="Chosen">The chosen completions.</param>
/// <param name="Rejected">The rejected completions.</param>
/// <param name="Weights">What each pair's loss is multiplied with, [pairs]; null: 1.</param>
internal sealed record PairValues(SideValues Chosen, SideValues Rejected, Tensor? Weights)
{
    /// <summary>Number of pairs.</summary>
    internal long Count => Chosen.Logps.ElementCount;

    internal static PairValues Of(PairScores scores, StepTensors kept) => new(
        SideValues.Of(scores.Chosen, kept), SideValues.Of(scores.Rejected, kept),
        scores.Weights is { } weights ? kept.Keep(weights.Value) : null);

    /// <summary>The pairs of all parts, in order.</summary>
    internal static PairValues Join(IReadOnlyList<PairValues> parts) => new(
        SideValues.Join([.. parts.Select(part => part.Chosen)]), SideValues.Join([.. parts.Select(part => part.Rejected)]),
        parts[0].Weights is null ? null : SideValues.Join(parts, part => part.Weights!));

    /// <summary>The pairs as losses see them, with leaves for the policy's log-probabilities.</summary>
    internal PairScores Scores(Tape tape, Divergence divergence) => PairScores.Of(
        tape, Chosen.Scores(tape, divergence), Rejected.Scores(tape, divergence), Weights is null ? null : new Variable(Weights));
}

/// <summary>One side of such pairs, [pairs] each.</summary>
/// <param name="Logps">The policy's log-probabilities.</param>
/// <param name="Reference">The reference's.</param>
/// <param name="TokenCounts">Tokens of the completions.</param>
internal sealed record SideValues(Tensor Logps, Tensor Reference, Tensor TokenCounts)
{
    internal static SideValues Of(SideScores side, StepTensors kept) =>
        new(kept.Keep(side.Logps.Value), kept.Keep(side.Reference.Value), kept.Keep(side.TokenCounts.Value));

    internal static SideValues Join(IReadOnlyList<SideValues> parts) =>
        new(Join(parts, part => part.Logps), Join(parts, part => part.Reference), Join(parts, part => part.TokenCounts));

    internal static Tensor Join<TPart>(IReadOnlyList<TPart> parts, Func<TPart, Tensor> of) =>
        Operator.Call("aten::cat"u8, default, parts.Select(of).ToArray(), 0L);

    internal SideScores Scores(Tape tape, Divergence divergence) => SideScores.Of(
        tape, divergence, new Variable(Logps, requiresGrad: true), new Variable(Reference), new Variable(TokenCounts));
}
