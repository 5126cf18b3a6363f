using Handbook.Autograd;
using Handbook.Autograd.Elementary;

namespace Handbook.Training.Objectives.Preference;

/// <summary>What a loss of pairs looks at; every vector is [pairs].</summary>
public sealed record PairScores
{
    /// <summary>log pi(chosen | prompt), summed over the answer's tokens.</summary>
    public required Variable ChosenLogps { get; init; }

    /// <summary>log pi(rejected | prompt).</summary>
    public required Variable RejectedLogps { get; init; }

    /// <summary>The reference's log-probability of chosen; zeros when there is no reference.</summary>
    public required Variable ReferenceChosenLogps { get; init; }

    /// <summary>The reference's log-probability of rejected.</summary>
    public required Variable ReferenceRejectedLogps { get; init; }

    /// <summary>log pi(chosen) - log ref(chosen).</summary>
    public required Variable ChosenLogratios { get; init; }

    /// <summary>log pi(rejected) - log ref(rejected).</summary>
    public required Variable RejectedLogratios { get; init; }

    /// <summary>Chosen log-ratios through the derivative of the divergence; the log-ratios themselves for reverse KL.</summary>
    public required Variable ChosenScores { get; init; }

    /// <summary>Rejected log-ratios through the derivative of the divergence.</summary>
    public required Variable RejectedScores { get; init; }

    /// <summary>Tokens of the chosen answers, at least 1.</summary>
    public required Variable ChosenTokenCounts { get; init; }

    /// <summary>Tokens of the rejected answers, at least 1.</summary>
    public required Variable RejectedTokenCounts { get; init; }

    /// <summary>ChosenScores - RejectedScores.</summary>
    public required Variable Margins { get; init; }

    /// <summary>What each pair's loss is multiplied with (WPO), without gradient; null: 1.</summary>
    public Variable? Weights { get; init; }

    /// <summary>Builds the rest from the four log-probabilities and the lengths.</summary>
    public static PairScores Of(
        Tape tape, Divergence divergence, Variable chosen, Variable rejected, Variable referenceChosen, Variable referenceRejected,
        Variable chosenTokens, Variable rejectedTokens)
    {
        var chosenRatios = tape.Subtract(chosen, referenceChosen);
        var rejectedRatios = tape.Subtract(rejected, referenceRejected);
        var (chosenScores, rejectedScores) = (divergence.Score(tape, chosenRatios), divergence.Score(tape, rejectedRatios));
        return new PairScores
        {
            ChosenLogps = chosen,
            RejectedLogps = rejected,
            ReferenceChosenLogps = referenceChosen,
            ReferenceRejectedLogps = referenceRejected,
            ChosenLogratios = chosenRatios,
            RejectedLogratios = rejectedRatios,
            ChosenScores = chosenScores,
            RejectedScores = rejectedScores,
            ChosenTokenCounts = chosenTokens,
            RejectedTokenCounts = rejectedTokens,
            Margins = tape.Subtract(chosenScores, rejectedScores),
        };
    }
}
