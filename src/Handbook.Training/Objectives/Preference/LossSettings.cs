using Handbook.Autograd;

namespace Handbook.Training.Objectives.Preference;

/// <summary>The numbers that losses of pairs are tuned with.</summary>
/// <param name="Beta">Strength of the pull towards the reference; tau of IPO.</param>
/// <param name="LabelSmoothing">Probability that a label is flipped.</param>
/// <param name="DiscopopTau">Temperature of DiscoPOP's blend.</param>
/// <param name="Baseline">What BCO takes from rewards: the mean of all that were seen, a scalar; null as in TRL from 0.29 on.</param>
public sealed record LossSettings(double Beta = 0.1, double LabelSmoothing = 0, double DiscopopTau = 0.05, Variable? Baseline = null);
