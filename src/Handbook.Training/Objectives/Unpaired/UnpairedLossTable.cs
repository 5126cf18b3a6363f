using Handbook.Autograd;
using Handbook.Autograd.Elementary;

namespace Handbook.Training.Objectives.Unpaired;

/// <summary>
/// The loss of each judged completion, [completions], from its advantage: reward less baseline,
/// the sign turned for a completion that was not
/// liked.
/// </summary>
public delegate Variable CompletionLoss(Tape tape, Variable advantages);

/// <summary>What rewards are compared with.</summary>
public enum BaselineKind
{
    /// <summary>0.</summary>
    Zero,

    /// <summary>Beta times the divergence of policy and reference, estimated on mismatched completions of the batch.</summary>
    Divergence,

    /// <summary>The mean of all rewards seen.</summary>
    RunningMean,
}

/// <summary>A loss of judged completions.</summary>
/// <param name="Name">TRL's name (<c>loss_type</c>).</param>
/// <param name="PerCompletion">The loss.</param>
/// <param name="Baseline">What rewards are compared with.</param>
public sealed record UnpairedLoss(string Name, CompletionLoss PerCompletion, BaselineKind Baseline);

/// <summary>Every loss of judged completions that recipes may name, with its formula.</summary>
public static class UnpairedLossTable
{
    /// <summary>The rows.</summary>
    public static IReadOnlyList<UnpairedLoss> Rows { get; } =
    [
        // KTO (Ethayarajh et al. 2024, arXiv:2402.01306, eq. 8): 1 - sigmoid(x) = sigmoid(-x).
        new("kto", (tape, advantages) => tape.Sigmoid(tape.Negate(advantages)), BaselineKind.Divergence),

        // APO-zero without pairs (D'Oosterlinck et al. 2024, arXiv:2408.06266, eq. 7): KTO with a baseline of 0.
        new("apo_zero_unpaired", (tape, advantages) => tape.Sigmoid(tape.Negate(advantages)), BaselineKind.Zero),

        // BCO (Jung et al. 2024, arXiv:2404.04656, eq. 10): -log sigmoid(x), the logistic loss of a classifier of completions whose
        // logit is the reward less the mean of all rewards.
        new("bco", (tape, advantages) => tape.Negate(tape.LogSigmoid(advantages)), BaselineKind.RunningMean),
    ];

    /// <summary>Finds a loss.</summary>
    /// <exception cref="UserErrorException">The name is unknown.</exception>
    public static UnpairedLoss Find(string name) =>
        Rows.FirstOrDefault(row => row.Name == name)
        ?? throw NearestName.Unknown($"loss_type: {name} is not a loss of unpaired answers", name, Rows.Select(row => row.Name));
}
