using Handbook.Autograd;
using Handbook.Autograd.Elementary;

namespace Handbook.Training.Objectives.Preference;

/// <summary>The logistic loss when labels are flipped with probability e: -(1 - e) log sigmoid(x) - e log sigmoid(-x).</summary>
internal static class SmoothedLogistic
{
    internal static Variable Of(Tape tape, Variable x, double smoothing)
    {
        var kept = tape.Scale(tape.LogSigmoid(x), smoothing - 1);
        return smoothing == 0 ? kept : tape.Subtract(kept, tape.Scale(tape.LogSigmoid(tape.Negate(x)), smoothing));
    }
}
