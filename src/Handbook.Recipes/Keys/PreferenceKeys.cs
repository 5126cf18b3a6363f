using Handbook.Training.Runs;
using static Handbook.Recipes.Keys.KeyOrigin;
using static Handbook.Recipes.Keys.OptionParts;
using static Handbook.Recipes.Keys.RecipeKeyTable;
using static Handbook.Recipes.Keys.ValueForms;

namespace Handbook.Recipes.Keys;

/// <summary>Preference losses.</summary>
internal static class PreferenceKeys
{
    private static IEnumerable<TrainingMethod> Choosing => TrainingMethod.ByData.Where(method => method.Losses.Count > 1);

    public static IReadOnlyList<RecipeKey> Rows { get; } =
    [
        Row("beta", Number, Trl, "0.1",
            "Strength of the pull towards the reference (dpo, kto, cpo, bco), lambda (orpo), tau (ipo). Usual values are 0.01 to 0.5; "
            + "simpo takes 2 to 10.")
            .To(Preference, (o, v) => o with { Beta = v })
            with { Range = NumberRange.Above(0), Tasks = TaskSet.Alignment },
        Row("loss_type", Texts, Trl, null, "The loss, or several for a weighted mixture (dpo).")
            .To(Preference, (o, v) => o with { LossTypes = v })
            with
            {
                Choices = [.. Choosing.SelectMany(method => method.Losses).Distinct()],
                Tasks = TaskSet.WithLosses,
                Defaults = [.. Choosing.Select(method => new KeyDefault(method.Losses[0], TaskSet.Only(method)))],
            },
        Row("loss_weights", NumbersOrNull, Trl, null, "Weights of a mixture of losses, one for each loss_type.")
            .To(Preference, (o, v) => o with { LossWeights = v }),
        Row("label_smoothing", Number, Trl, "0.0", "Probability that a label is wrong (cDPO, robust).")
            .To(Preference, (o, v) => o with { LabelSmoothing = v })
            with { Range = NumberRange.Below(0, 0.5) },
        Row("reference_free", Flag, Trl, "false", "Take the reference's log-probabilities as 0.")
            .To(Preference, (o, v) => o with { ReferenceFree = v }),
        Row("rpo_alpha", NumberOrNull, Trl, null, "Weight of the likelihood of the chosen answer (RPO).")
            .To(Preference, (o, v) => o with { RpoAlpha = v }) with { Range = NumberRange.From(0) },
        Row("ld_alpha", NumberOrNull, Trl, null, "Weight of the part of an answer beyond the shorter one's length (LD-DPO).")
            .To(Preference, (o, v) => o with { LdAlpha = v })
            with { Range = NumberRange.Within(0, 1) },
        Row("f_divergence_type", Text, Trl, "reverse_kl", "Divergence between policy and reference.")
            .To(Preference, (o, v) => o with { FDivergence = v })
            with { Choices = ["reverse_kl", "forward_kl", "js_divergence", "alpha_divergence"] },
        Row("f_alpha_divergence_coef", Number, Trl, "1.0",
            "Alpha of alpha_divergence; under the profiles v0.3 and trl-0.19 one less alpha, as TRL had it then.")
            .To(Preference, (o, v, values) => o with { FAlphaDivergenceCoefficient = values.Profile == Profile.Best ? v : 1 - v }),
        Row("discopop_tau", Number, Trl, "0.05", "Temperature of discopop.")
            .To(Preference, (o, v) => o with { DiscopopTau = v }) with { Range = NumberRange.Above(0) },
        Row("use_weighting", Flag, Trl, "false", "Weight pairs by their own probability (WPO).")
            .To(Preference, (o, v, values) => o with { UseWeighting = v, WeightLimit = values.Profile == Profile.Best ? null : 1 }),
        Row("precompute_ref_log_probs", Flag, Trl, "false",
            "Compute the reference's log-probabilities once, before training: no second model in memory.")
            .To(Preference, (o, v) => o with { PrecomputeReference = v }) with { Tasks = TaskSet.WithReference, Effect = KeyEffect.Course },
        Row("sync_ref_model", Flag, Trl, "false", "Move the reference towards the policy as training goes (TR-DPO).")
            .To(Preference, (o, v) => o with { SyncReference = v }),
        Row("ref_model_mixup_alpha", Number, Trl, "0.6", "Share of the policy in each move.")
            .To(Preference, (o, v) => o with { ReferenceMixupAlpha = v })
            with { Range = NumberRange.Within(0, 1) },
        Row("ref_model_sync_steps", Integer, Trl, "512", "Steps between moves.")
            .To(Preference, (o, v) => o with { ReferenceSyncSteps = v }) with { Range = NumberRange.From(1) },
        Row("ref_model", TextOrNull, Ours, null, "Another model as the reference; left out: the policy as it was at the start.")
            .To(Preference, (o, v) => o with { ReferenceModel = v }) with { Tasks = TaskSet.WithReference, Effect = KeyEffect.Source },
        Row("desirable_weight", Number, Trl, "1.0", "Weight of good answers.")
            .To(Preference, (o, v) => o with { DesirableWeight = v }) with { Range = NumberRange.Above(0) },
        Row("undesirable_weight", Number, Trl, "1.0", "Weight of bad answers.")
            .To(Preference, (o, v) => o with { UndesirableWeight = v }) with { Range = NumberRange.Above(0) },
        Row("cpo_alpha", Number, Trl, "1.0", "Weight of the likelihood of the chosen answer; 0 for SimPO alone.")
            .To(Preference, (o, v) => o with { CpoAlpha = v }) with { Range = NumberRange.From(0) },
        Row("simpo_gamma", Number, Trl, "0.5", "Margin that the chosen answer must lead by (simpo, alphapo).")
            .To(Preference, (o, v) => o with { SimpoGamma = v }) with { Range = NumberRange.From(0) },
        Row("alpha", Number, Trl, "0.0", "Shape of alphapo's reward; 0 is the log-probability.")
            .To(Preference, (o, v) => o with { AlphaPoAlpha = v }),
        Row("center_rewards_coefficient", NumberOrNull, Trl, null, "Pull of reward sums towards 0.")
            .To(Preference, (o, v) => o with { CenterRewardsCoefficient = v }) with { Range = NumberRange.From(0) },
    ];
}
