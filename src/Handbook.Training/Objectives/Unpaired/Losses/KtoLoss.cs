using Handbook.Autograd;
using Handbook.Autograd.Elementary;

namespace Handbook.Training.Objectives.Unpaired.Losses;

/// <summary>
/// KTO (Ethayarajh et al. 2024, arXiv:2402.01306, eq. 8): 1 - sigmoid(x) = sigmoid(-x), where x is by how much an answer's reward lies
/// on the right side of its baseline. With a baseline of 0 it is APO-zero without pairs (D'Oosterlinck et al. 2024, arXiv:2408.06266,
/// eq. 7).
/// </summary>
public static class KtoLoss
{
    /// <summary>The loss of each answer, [answers].</summary>
    public static Variable PerAnswer(Tape tape, Variable advantages) => tape.Sigmoid(tape.Negate(advantages));
}
