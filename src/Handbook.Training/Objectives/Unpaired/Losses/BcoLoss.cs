using Handbook.Autograd;
using Handbook.Autograd.Elementary;

namespace Handbook.Training.Objectives.Unpaired.Losses;

/// <summary>
/// BCO (Jung et al. 2024, arXiv:2404.04656, eq. 10): -log sigmoid(x), the logistic loss of a classifier of answers whose logit is the
/// reward less the mean of all rewards.
/// </summary>
public static class BcoLoss
{
    /// <summary>The loss of each answer, [answers].</summary>
    public static Variable PerAnswer(Tape tape, Variable advantages) => tape.Negate(tape.LogSigmoid(advantages));
}
