using Handbook.Autograd;
using Handbook.Autograd.Elementary;

namespace Handbook.Training.Objectives.RewardModel;

/// <summary>
/// Bradley-Terry: -log sigmoid(chosen - rejected - margin) (Touvron et al. 2023, arXiv:2307.09288, eq. 2, for the margin), plus a
/// coefficient times (chosen + rejected)², which holds the scores around 0 (Eisenstein et al. 2023, arXiv:2312.09244).
/// </summary>
public static class BradleyTerryLoss
{
    /// <summary>The loss of each pair, [pairs].</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="chosen">Scores of the chosen completions, [pairs].</param>
    /// <param name="rejected">Scores of the rejected completions, [pairs].</param>
    /// <param name="margins">Margins, [pairs]; null for none.</param>
    /// <param name="centring">The coefficient; null for none.</param>
    public static Variable PerPair(Tape tape, Variable chosen, Variable rejected, Variable? margins = null, double? centring = null)
    {
        var difference = tape.Subtract(chosen, rejected);
        var loss = tape.Negate(tape.LogSigmoid(margins is null ? difference : tape.Subtract(difference, margins)));
        return centring is { } coefficient ? tape.Add(loss, tape.Scale(tape.Square(tape.Add(chosen, rejected)), coefficient)) : loss;
    }
}
