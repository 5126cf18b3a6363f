using Handbook.Autograd;
using Handbook.Torch;

namespace Handbook.Training.Objectives.Preference;

/// <summary>What losses look at of some pairs, as plain numbers that outlive the tensors of their micro-batch.</summary>
internal sealed record PairValues(
    double[] Chosen, double[] Rejected, double[] ReferenceChosen, double[] ReferenceRejected, double[] ChosenTokens, double[] RejectedTokens,
    double[]? Weights, DType DType, Device Device)
{
    /// <summary>Number of pairs.</summary>
    internal int Count => Chosen.Length;

    internal static PairValues Of(PairScores scores) => new(
        Values(scores.ChosenLogps), Values(scores.RejectedLogps), Values(scores.ReferenceChosenLogps), Values(scores.ReferenceRejectedLogps),
        Values(scores.ChosenTokenCounts), Values(scores.RejectedTokenCounts), scores.Weights is { } weights ? Values(weights) : null,
        scores.ChosenLogps.Value.DType, scores.ChosenLogps.Value.Device);

    /// <summary>The pairs of all parts, in order.</summary>
    internal static PairValues Join(IReadOnlyList<PairValues> parts) => new(
        [.. parts.SelectMany(part => part.Chosen)], [.. parts.SelectMany(part => part.Rejected)],
        [.. parts.SelectMany(part => part.ReferenceChosen)], [.. parts.SelectMany(part => part.ReferenceRejected)],
        [.. parts.SelectMany(part => part.ChosenTokens)], [.. parts.SelectMany(part => part.RejectedTokens)],
        parts[0].Weights is null ? null : [.. parts.SelectMany(part => part.Weights!)], parts[0].DType, parts[0].Device);

    /// <summary>The pairs as losses see them, with leaves for the policy's log-probabilities.</summary>
    internal PairScores Scores(Tape tape, Divergence divergence) => PairScores.Of(
        tape, divergence, Variable(Chosen, requiresGrad: true), Variable(Rejected, requiresGrad: true), Variable(ReferenceChosen),
        Variable(ReferenceRejected), Variable(ChosenTokens), Variable(RejectedTokens))
        with { Weights = Weights is null ? null : Variable(Weights) };

    private static double[] Values(Variable variable) => variable.Value.ToArray<double>();

    private Variable Variable(double[] values, bool requiresGrad = false) => new(Tensor.From(values).To(DType).To(Device), requiresGrad);
}
