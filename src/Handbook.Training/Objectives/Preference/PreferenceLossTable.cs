using Handbook.Autograd;
using Handbook.Training.Objectives.Preference.Losses;

namespace Handbook.Training.Objectives.Preference;

/// <summary>The loss of each pair, [pairs], from its scores.</summary>
public delegate Variable PairLoss(Tape tape, PairScores pairs, LossSettings settings);

/// <summary>A loss of pairs.</summary>
/// <param name="Name">TRL's name (<c>loss_type</c>).</param>
/// <param name="PerPair">The loss; null for <c>sft</c>, which is the likelihood of the chosen answers and looks at no margin.</param>
/// <param name="SeesWholeBatch">True when a pair's loss depends on the other pairs of the batch.</param>
/// <param name="TakesBaseline">True when it reads <see cref="LossSettings.Baseline"/>.</param>
public sealed record PreferenceLoss(string Name, PairLoss? PerPair, bool SeesWholeBatch = false, bool TakesBaseline = false);

/// <summary>Every loss of pairs that recipes may name.</summary>
public static class PreferenceLossTable
{
    /// <summary>The rows.</summary>
    public static IReadOnlyList<PreferenceLoss> Rows { get; } =
    [
        new("sigmoid", SigmoidLoss.PerPair),
        new("sigmoid_norm", SigmoidNormLoss.PerPair),
        new("hinge", HingeLoss.PerPair),
        new("ipo", IpoLoss.PerPair),
        new("exo_pair", ExoPairLoss.PerPair),
        new("nca_pair", NcaPairLoss.PerPair),
        new("robust", RobustLoss.PerPair),
        new("bco_pair", BcoPairLoss.PerPair, TakesBaseline: true),
        new("kto_pair", KtoPairLoss.PerPair, SeesWholeBatch: true),
        new("sppo_hard", SppoHardLoss.PerPair),
        new("aot", AotLoss.PerPair, SeesWholeBatch: true),
        new("aot_unpaired", AotUnpairedLoss.PerPair, SeesWholeBatch: true),
        new("aot_pair", AotUnpairedLoss.PerPair, SeesWholeBatch: true),
        new("apo_zero", ApoZeroLoss.PerPair),
        new("apo_down", ApoDownLoss.PerPair),
        new("discopop", DiscopopLoss.PerPair),
        new("sft", null),
    ];

    /// <summary>Finds a loss.</summary>
    /// <exception cref="UserErrorException">The name is unknown.</exception>
    public static PreferenceLoss Find(string name) =>
        Rows.FirstOrDefault(row => row.Name == name)
        ?? throw new UserErrorException(
            $"loss_type: {name} is not a loss; there are {string.Join(", ", Rows.Select(row => row.Name))}.{NearestName.Hint(name, Rows.Select(row => row.Name))}");
}
