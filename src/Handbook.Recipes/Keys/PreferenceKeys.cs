using Handbook.Training.Options;
using static Handbook.Recipes.Keys.KeyKind;
using static Handbook.Recipes.Keys.KeyOrigin;
using static Handbook.Recipes.Keys.RecipeKeyTable;

namespace Handbook.Recipes.Keys;

/// <summary>Preference losses.</summary>
internal static class PreferenceKeys
{
    private const Tasks WithReference = Tasks.Dpo | Tasks.Kto | Tasks.Bco;

    /// <summary>The losses of each command that has several; a default is the first.</summary>
    public static IReadOnlyList<(Tasks Tasks, IReadOnlyList<string> Names)> Losses { get; } =
    [
        (Tasks.Dpo,
        [
            "sigmoid", "sigmoid_norm", "hinge", "ipo", "exo_pair", "nca_pair", "robust", "bco_pair", "kto_pair", "sppo_hard", "aot",
            "aot_pair", "aot_unpaired", "apo_zero", "apo_down", "discopop", "sft",
        ]),
        (Tasks.Cpo, ["sigmoid", "hinge", "ipo", "simpo", "alphapo"]),
        (Tasks.Kto, ["kto", "apo_zero_unpaired"]),
    ];

    public static IReadOnlyList<RecipeKey> Rows { get; } =
    [
        Row("beta", Number, Trl, "0.1", "Strength of the pull towards the reference (dpo, kto, cpo, bco), lambda (orpo), tau (ipo). Usual values are 0.01 to 0.5; simpo takes 2 to 10.")
            with { Range = NumberRange.Above(0), Tasks = Tasks.Preference & ~Tasks.Reward },
        Row("loss_type", TextList, Trl, "sigmoid", "The loss, or several for a weighted mixture (dpo).")
            with
            {
                Choices = [.. Losses.SelectMany(set => set.Names).Distinct()],
                Tasks = Tasks.Dpo | Tasks.Cpo | Tasks.Kto,
                Defaults = [.. Losses.Select(set => new KeyDefault(set.Names[0], set.Tasks))],
            },
        Row("loss_weights", NumberList, Trl, null, "Weights of a mixture of losses, one for each loss_type.") with { Tasks = Tasks.Dpo },
        Row("label_smoothing", Number, Trl, "0.0", "Probability that a label is wrong (cDPO, robust).") with { Range = NumberRange.Below(0, 0.5), Tasks = Tasks.Dpo | Tasks.Cpo },
        Row("reference_free", Flag, Trl, "false", "Take the reference's log-probabilities as 0.") with { Tasks = Tasks.Dpo },
        Row("rpo_alpha", Number, Trl, null, "Weight of the likelihood of the chosen answer (RPO).") with { Range = NumberRange.From(0), Tasks = Tasks.Dpo },
        Row("ld_alpha", Number, Trl, null, "Weight of the part of an answer beyond the shorter one's length (LD-DPO).")
            with { Range = NumberRange.Within(0, 1), Tasks = Tasks.Dpo },
        Row("f_divergence_type", TextValue, Trl, "reverse_kl", "Divergence between policy and reference.")
            with { Choices = ["reverse_kl", "forward_kl", "js_divergence", "alpha_divergence"], Tasks = Tasks.Dpo },
        Row("f_alpha_divergence_coef", Number, Trl, "1.0", "Alpha of alpha_divergence; under the profiles v0.3 and trl-0.19 one less alpha, as TRL had it then.") with { Tasks = Tasks.Dpo },
        Row("discopop_tau", Number, Trl, "0.05", "Temperature of discopop.") with { Range = NumberRange.Above(0), Tasks = Tasks.Dpo },
        Row("use_weighting", Flag, Trl, "false", "Weight pairs by their own probability (WPO).") with { Tasks = Tasks.Dpo },
        Row("precompute_ref_log_probs", Flag, Trl, "false", "Compute the reference's log-probabilities once, before training: no second model in memory.")
            with { Tasks = WithReference, Effect = KeyEffect.Course },
        Row("sync_ref_model", Flag, Trl, "false", "Move the reference towards the policy as training goes (TR-DPO).") with { Tasks = Tasks.Dpo },
        Row("ref_model_mixup_alpha", Number, Trl, "0.6", "Share of the policy in each move.") with { Range = NumberRange.Within(0, 1), Tasks = Tasks.Dpo },
        Row("ref_model_sync_steps", Integer, Trl, "512", "Steps between moves.") with { Range = NumberRange.From(1), Tasks = Tasks.Dpo },
        Row("ref_model", TextValue, Ours, null, "Another model as the reference; left out: the policy as it was at the start.") with { Tasks = WithReference, Effect = KeyEffect.Source },
        Row("desirable_weight", Number, Trl, "1.0", "Weight of good answers.") with { Range = NumberRange.Above(0), Tasks = Tasks.Kto },
        Row("undesirable_weight", Number, Trl, "1.0", "Weight of bad answers.") with { Range = NumberRange.Above(0), Tasks = Tasks.Kto },
        Row("cpo_alpha", Number, Trl, "1.0", "Weight of the likelihood of the chosen answer; 0 for SimPO alone.") with { Range = NumberRange.From(0), Tasks = Tasks.Cpo },
        Row("simpo_gamma", Number, Trl, "0.5", "Margin that the chosen answer must lead by (simpo, alphapo).") with { Range = NumberRange.From(0), Tasks = Tasks.Cpo },
        Row("alpha", Number, Trl, "0.0", "Shape of alphapo's reward; 0 is the log-probability.") with { Tasks = Tasks.Cpo },
        Row("center_rewards_coefficient", Number, Trl, null, "Pull of reward sums towards 0.") with { Range = NumberRange.From(0), Tasks = Tasks.Reward },
    ];
}
