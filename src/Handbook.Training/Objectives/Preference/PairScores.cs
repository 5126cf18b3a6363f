using Handbook.Autograd;
using Handbook.Autograd.Elementary;
using Handbook.Torch;

namespace Handbook.Training.Objectives.Preference;

/// <summary>What a loss of pairs looks at; every vector is [pairs].</summary>
/// <param name="Chosen">The chosen completions.</param>
/// <param name="Rejected">The rejected completions.</param>
/// <param name="Margins">Scores of chosen - scores of rejected.</param>
/// <param name="Weights">What each pair's loss is multiplied with (WPO), without gradient; null: 1.</param>
public sealed record PairScores(SideScores Chosen, SideScores Rejected, Variable Margins, Variable? Weights = null)
{
    /// <summary>Both sides together.</summary>
    public static PairScores Of(Tape tape, SideScores chosen, SideScores rejected, Variable? weights = null) =>
        new(chosen, rejected, tape.Subtract(chosen.Scores, rejected.Scores), weights);

    /// <summary>The mean of the weights, a scalar; null where there are none.</summary>
    internal Tensor? MeanWeight() => Weights is { Value: var values } ? values.Sum().Multiply(1.0 / values.ElementCount) : null;
}

/// <summary>One side of the pairs; every vector is [pairs].</summary>
/// <param name="Logps">log pi(completion | prompt), summed over the completion's tokens.</param>
/// <param name="Reference">The reference's log-probability; zeros when there is no reference.</param>
/// <param name="Logratios">log pi(completion) - log ref(completion).</param>
/// <param name="Scores">Log-ratios through the derivative of the divergence; the log-ratios themselves for reverse KL.</param>
/// <param name="TokenCounts">Tokens of the completions, at least 1.</param>
public sealed record SideScores(Variable Logps, Variable Reference, Variable Logratios, Variable Scores, Variable TokenCounts)
{
    /// <summary>Builds the rest from the log-probabilities and the lengths.</summary>
    public static SideScores Of(Tape tape, Divergence divergence, Variable logps, Variable reference, Variable tokenCounts)
    {
        var logratios = tape.Subtract(logps, reference);
        return new SideScores(logps, reference, logratios, divergence.Score(tape, logratios), tokenCounts);
    }
}
