using Handbook.Autograd;
using Handbook.Data.Packing;
using Handbook.Torch;

namespace Handbook.Training.Objectives.Preference;

/// <summary>The pairs of a batch under the policy and its reference.</summary>
/// <param name="Chosen">The chosen completions, one a pair.</param>
/// <param name="Rejected">The rejected completions, one a pair.</param>
/// <param name="Completions">Both completions of every pair: chosen, rejected, chosen, rejected ...</param>
public sealed record PairMeasurement(CompletionMeasurement Chosen, CompletionMeasurement Rejected, CompletionMeasurement Completions)
{
    /// <summary>Number of pairs.</summary>
    public int PairCount => Chosen.Segments.Length;

    /// <summary>Runs the policy over a batch of pairs.</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="policy">The model.</param>
    /// <param name="reference">What it is held against.</param>
    /// <param name="batch">Pairs.</param>
    /// <param name="tailWeight">Weight of a completion's tokens beyond the length of its rival (LD-DPO); null: 1.</param>
    public static PairMeasurement Of(Tape tape, IPolicy policy, IReferenceLogps reference, TokenBatch batch, double? tailWeight = null)
    {
        var completions = CompletionMeasurement.Of(tape, policy, reference, batch,
            tailWeight is { } weight ? labels => PairWeights.OfTails(labels, batch.Completions, weight) : null);
        return new PairMeasurement(completions.EverySecond(tape, 0), completions.EverySecond(tape, 1), completions);
    }

    /// <summary>The same with log-probabilities averaged over the completions' tokens.</summary>
    public PairMeasurement PerToken(Tape tape) => this with { Chosen = Chosen.PerToken(tape), Rejected = Rejected.PerToken(tape) };

    /// <summary>Scores of the pairs as losses see them.</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="divergence">What makes scores of log-ratios.</param>
    /// <param name="weights">What each pair's loss is multiplied with, [pairs]; null: 1.</param>
    public PairScores Scores(Tape tape, Divergence divergence, Tensor? weights = null) => PairScores.Of(
        tape, Chosen.Scores(tape, divergence), Rejected.Scores(tape, divergence), weights is null ? null : new Variable(weights));
}
