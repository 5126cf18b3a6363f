using Handbook.Autograd;
using Handbook.Autograd.Elementary;

namespace Handbook.Training.Objectives.Preference;

/// <summary>The loss of each pair, [pairs], from its scores.</summary>
public delegate Variable PairLoss(Tape tape, PairScores pairs, LossSettings settings);

/// <summary>A loss of pairs.</summary>
/// <param name="Name">TRL's name (<c>loss_type</c>).</param>
/// <param name="PerPair">The loss; null for <c>sft</c>, which is the likelihood of the chosen completions and looks at no margin.</param>
/// <param name="SeesWholeBatch">True when a pair's loss depends on the other pairs of the batch.</param>
/// <param name="TakesBaseline">True when it reads <see cref="LossSettings.Baseline"/>.</param>
/// <param name="NeedsSmoothing">True when it means nothing without a probability that a label is wrong.</param>
public sealed record PreferenceLoss(
    string Name, PairLoss? PerPair, bool SeesWholeBatch = false, bool TakesBaseline = false, bool NeedsSmoothing = false);

/// <summary>Every loss of pairs that recipes may name, with its formula. A margin is the score of chosen less that of rejected.</summary>
public static class PreferenceLossTable
{
    /// <summary>The rows.</summary>
    public static IReadOnlyList<PreferenceLoss> Rows { get; } =
    [
        // DPO (Rafailov et al. 2023, arXiv:2305.18290, eq. 7): -log sigmoid(beta * margin); with label smoothing e the
        // conservative form -(1 - e) log sigmoid(beta * margin) - e log sigmoid(-beta * margin) (Mitchell 2023, cDPO).
        new("sigmoid",
            (tape, pairs, settings) => SmoothedLogistic.Of(tape, tape.Scale(pairs.Margins, settings.Beta), settings.LabelSmoothing)),
        // DPO on scores averaged over the completions' tokens: -log sigmoid(beta * (chosen / |chosen| - rejected / |rejected|)).
        new("sigmoid_norm", (tape, pairs, settings) =>
            SmoothedLogistic.Of(tape, tape.Scale(MarginsPerToken(tape, pairs), settings.Beta), settings.LabelSmoothing)),
        // SLiC's hinge on the margin (Zhao et al. 2023, arXiv:2305.10425): max(0, 1 - beta * margin).
        new("hinge", (tape, pairs, settings) => tape.Relu(tape.AddConstant(tape.Scale(pairs.Margins, -settings.Beta), 1))),
        // IPO (Azar et al. 2023, arXiv:2310.12036, eq. 17): (margin - 1 / (2 beta))², on scores averaged over the completions'
        // tokens, as its authors confirmed to TRL (the sum makes the target depend on the length).
        new("ipo", (tape, pairs, settings) => tape.Square(tape.AddConstant(MarginsPerToken(tape, pairs), -1 / (2 * settings.Beta)))),
        // EXO (Ji et al. 2024, arXiv:2402.00856, eq. 16): the reverse KL divergence from the pair's own softmax over beta *
        // scores to the labels (1 - e, e). A smoothing of 0 would be infinite and is taken as 0.001.
        new("exo_pair", (tape, pairs, settings) =>
        {
            var smoothing = settings.LabelSmoothing == 0 ? 1e-3 : settings.LabelSmoothing;
            var margins = tape.Scale(pairs.Margins, settings.Beta);
            var opposite = tape.Negate(margins);
            var won = tape.Multiply(tape.Sigmoid(margins), tape.AddConstant(tape.LogSigmoid(margins), -Math.Log(1 - smoothing)));
            var lost = tape.Multiply(tape.Sigmoid(opposite), tape.AddConstant(tape.LogSigmoid(opposite), -Math.Log(smoothing)));
            return tape.Add(won, lost);
        }),
        // NCA for pairs (Chen et al. 2024, arXiv:2402.05369): -log sigmoid(r_w) - ½ log sigmoid(-r_w) - ½ log sigmoid(-r_l),
        // with rewards r = beta * score.
        new("nca_pair", (tape, pairs, settings) =>
        {
            var chosen = tape.Scale(pairs.Chosen.Scores, settings.Beta);
            var rejected = tape.Scale(pairs.Rejected.Scores, settings.Beta);
            var repelled = tape.Add(tape.LogSigmoid(tape.Negate(chosen)), tape.LogSigmoid(tape.Negate(rejected)));
            return tape.Negate(tape.Add(tape.LogSigmoid(chosen), tape.Scale(repelled, 0.5)));
        }),
        // Robust DPO (Chowdhury et al. 2024, arXiv:2403.00409): unbiased when labels are flipped with probability e:
        // (-(1 - e) log sigmoid(beta * margin) + e log sigmoid(-beta * margin)) / (1 - 2e).
        new("robust", (tape, pairs, settings) =>
        {
            var margins = tape.Scale(pairs.Margins, settings.Beta);
            var clean = tape.Scale(tape.LogSigmoid(margins), -(1 - settings.LabelSmoothing));
            var flipped = tape.Scale(tape.LogSigmoid(tape.Negate(margins)), settings.LabelSmoothing);
            return tape.Scale(tape.Add(clean, flipped), 1 / (1 - 2 * settings.LabelSmoothing));
        }, NeedsSmoothing: true),
        // BCO for pairs (Jung et al. 2024, arXiv:2404.04656, eq. 10): -log sigmoid(r_w - d) - log sigmoid(d - r_l), with
        // rewards r = beta * score and d the mean of all rewards seen.
        new("bco_pair", (tape, pairs, settings) =>
        {
            var chosen = tape.LogSigmoid(Shifted(tape, tape.Scale(pairs.Chosen.Scores, settings.Beta), settings));
            var rejected = tape.LogSigmoid(tape.Negate(Shifted(tape, tape.Scale(pairs.Rejected.Scores, settings.Beta), settings)));
            return tape.Negate(tape.Add(chosen, rejected));
        }, TakesBaseline: true),
        // KTO on pairs (Ethayarajh et al. 2024, arXiv:2402.01306, as TRL up to 0.8): each side is compared with the batch mean of
        // the other side's log-ratios, at least 0; at exactly 0, where training begins, the gradient passes, as TRL's clamp lets
        // it. The mean of the two sides, so that the batch mean equals TRL's over 2 x pairs.
        new("kto_pair", (tape, pairs, settings) =>
        {
            var chosenKl = tape.Clamp(tape.Mean(pairs.Chosen.Logratios), 0, double.PositiveInfinity);
            var rejectedKl = tape.Clamp(tape.Mean(pairs.Rejected.Logratios), 0, double.PositiveInfinity);
            var chosen = tape.Sigmoid(tape.Scale(tape.Subtract(pairs.Chosen.Logratios, rejectedKl), settings.Beta));
            var rejected = tape.Sigmoid(tape.Scale(tape.Subtract(chosenKl, pairs.Rejected.Logratios), settings.Beta));
            return tape.AddConstant(tape.Scale(tape.Add(chosen, rejected), -0.5), 1);
        }, SeesWholeBatch: true),
        // SPPO with hard wins (Wu et al. 2024, arXiv:2405.00675, eq. 4.7 with P = 1 and 0): (chosen - 1 / (2 beta))² + (rejected
        // + 1 / (2 beta))².
        new("sppo_hard", (tape, pairs, settings) =>
        {
            var winner = tape.Square(tape.AddConstant(pairs.Chosen.Scores, -0.5 / settings.Beta));
            var loser = tape.Square(tape.AddConstant(pairs.Rejected.Scores, 0.5 / settings.Beta));
            return tape.Add(winner, loser);
        }),
        // AOT for pairs (Melnyk et al. 2024, arXiv:2406.05882): optimal transport in one dimension, so the policy's margins and
        // the reference's are sorted over the whole batch before they are compared.
        new("aot", (tape, pairs, settings) =>
        {
            var policy = tape.Sort(tape.Subtract(pairs.Chosen.Logps, pairs.Rejected.Logps), 0);
            var reference = tape.Sort(tape.Subtract(pairs.Chosen.Reference, pairs.Rejected.Reference), 0);
            return SmoothedLogistic.Of(tape, tape.Scale(tape.Subtract(policy, reference), settings.Beta), settings.LabelSmoothing);
        }, SeesWholeBatch: true),
        // AOT without pairing (the same paper); TRL before 0.28 calls it aot_pair.
        new("aot_pair", AotUnpaired, SeesWholeBatch: true),
        new("aot_unpaired", AotUnpaired, SeesWholeBatch: true),
        // APO-zero (D'Oosterlinck et al. 2024, arXiv:2408.06266, eq. 7), for completions better than the model's: 1 - sigmoid(beta *
        // chosen) + sigmoid(beta * rejected), on log-ratios.
        new("apo_zero", (tape, pairs, settings) =>
        {
            var chosen = tape.Sigmoid(tape.Scale(pairs.Chosen.Logratios, settings.Beta));
            var rejected = tape.Sigmoid(tape.Scale(pairs.Rejected.Logratios, settings.Beta));
            return tape.AddConstant(tape.Subtract(rejected, chosen), 1);
        }),
        // APO-down (the same paper, eq. 8), for completions worse than the model's: sigmoid(beta * chosen) + 1 - sigmoid(beta * margin).
        new("apo_down", (tape, pairs, settings) =>
        {
            var chosen = tape.Sigmoid(tape.Scale(pairs.Chosen.Logratios, settings.Beta));
            var margin = tape.Sigmoid(tape.Scale(pairs.Margins, settings.Beta));
            return tape.AddConstant(tape.Subtract(chosen, margin), 1);
        }),
        // DiscoPOP (Lu et al. 2024, arXiv:2406.08414, eq. 5): a blend of logistic and exponential loss of beta * margin, weighted
        // by sigmoid(beta * margin / tau).
        new("discopop", (tape, pairs, settings) =>
        {
            var margins = tape.Scale(pairs.Margins, settings.Beta);
            var blend = tape.Sigmoid(tape.Scale(margins, 1 / settings.DiscopopTau));
            var logistic = tape.Negate(tape.LogSigmoid(margins));
            var exponential = tape.Exp(tape.Negate(margins));
            return tape.Add(logistic, tape.Multiply(blend, tape.Subtract(exponential, logistic)));
        }),
        // The likelihood of the chosen completions alone.
        new("sft", null),
    ];

    /// <summary>Finds a loss.</summary>
    /// <exception cref="UserErrorException">The name is unknown.</exception>
    public static PreferenceLoss Find(string name) =>
        Rows.FirstOrDefault(row => row.Name == name)
        ?? throw NearestName.Unknown($"loss_type: {name} is not a loss", name, Rows.Select(row => row.Name));

    private static Variable MarginsPerToken(Tape tape, PairScores pairs) => tape.Subtract(
        tape.Divide(pairs.Chosen.Scores, pairs.Chosen.TokenCounts), tape.Divide(pairs.Rejected.Scores, pairs.Rejected.TokenCounts));

    /// <summary>Chosen and rejected log-ratios are each sorted over the whole batch before they are compared.</summary>
    private static Variable AotUnpaired(Tape tape, PairScores pairs, LossSettings settings)
    {
        var margins = tape.Subtract(tape.Sort(pairs.Chosen.Logratios, 0), tape.Sort(pairs.Rejected.Logratios, 0));
        return SmoothedLogistic.Of(tape, tape.Scale(margins, settings.Beta), settings.LabelSmoothing);
    }

    /// <summary>Rewards less their mean, where it is taken from them.</summary>
    private static Variable Shifted(Tape tape, Variable rewards, LossSettings settings) =>
        settings.Baseline is { } baseline ? tape.Subtract(rewards, baseline) : rewards;
}
