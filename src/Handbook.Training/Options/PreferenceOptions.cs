namespace Handbook.Training.Options;

/// <summary>Preference losses: what is asked for; the objectives take from it what is theirs.</summary>
public sealed record PreferenceOptions
{
    /// <summary>Strength of the pull towards the reference (DPO), lambda (ORPO), tau (IPO).</summary>
    public double Beta { get; init; } = 0.1;

    /// <summary>The losses by TRL's names, several for a mixture.</summary>
    public IReadOnlyList<string> LossTypes { get; init; } = ["sigmoid"];

    /// <summary>Weights of a mixture of losses; null: 1 each.</summary>
    public IReadOnlyList<double>? LossWeights { get; init; }

    /// <summary>Probability that a label is wrong (cDPO, robust DPO).</summary>
    public double LabelSmoothing { get; init; }

    /// <summary>Take the reference's log-probabilities as 0.</summary>
    public bool ReferenceFree { get; init; }

    /// <summary>Weight of the negative log-likelihood term (RPO); null: none.</summary>
    public double? RpoAlpha { get; init; }

    /// <summary>Weight of the verbose part (LD-DPO); null: none.</summary>
    public double? LdAlpha { get; init; }

    /// <summary>
    /// Divergence between policy and reference: <c>reverse_kl</c>, <c>forward_kl</c>, <c>js_divergence</c>, <c>alpha_divergence</c>.
    /// </summary>
    public string FDivergence { get; init; } = "reverse_kl";

    /// <summary>Alpha of the alpha divergence.</summary>
    public double FAlphaDivergenceCoefficient { get; init; } = 1.0;

    /// <summary>Temperature of DiscoPOP.</summary>
    public double DiscopopTau { get; init; } = 0.05;

    /// <summary>Weight pairs by their own probability (WPO).</summary>
    public bool UseWeighting { get; init; }

    /// <summary>The most that WPO's weight of a pair may be: 1 in TRL before 0.29; null: no limit, as since.</summary>
    public double? WeightLimit { get; init; }

    /// <summary>
    /// Take the mean of all rewards seen off the rewards (<c>bco_pair</c>, as its paper and TRL before 0.29); false: as TRL since.
    /// </summary>
    public bool RunningBaseline { get; init; } = true;

    /// <summary>Weight of the chosen completions' negative log-likelihood (CPO); 0 for SimPO.</summary>
    public double CpoAlpha { get; init; } = 1;

    /// <summary>Margin that SimPO wants between chosen and rejected rewards.</summary>
    public double SimpoGamma { get; init; } = 0.5;

    /// <summary>Alpha of AlphaPO's reward (1 - p^-alpha) / alpha; 0: log p.</summary>
    public double AlphaPoAlpha { get; init; }

    /// <summary>Compute the reference's log-probabilities once, before training.</summary>
    public bool PrecomputeReference { get; init; }

    /// <summary>Move the reference towards the policy as training goes (TR-DPO).</summary>
    public bool SyncReference { get; init; }

    /// <summary>Share of the policy in each move.</summary>
    public double ReferenceMixupAlpha { get; init; } = 0.6;

    /// <summary>Steps between moves.</summary>
    public int ReferenceSyncSteps { get; init; } = 512;

    /// <summary>Another model as the reference; null: the policy as it was at the start.</summary>
    public string? ReferenceModel { get; init; }

    /// <summary>Weight of good completions (KTO).</summary>
    public double DesirableWeight { get; init; } = 1;

    /// <summary>Weight of bad completions (KTO).</summary>
    public double UndesirableWeight { get; init; } = 1;

    /// <summary>Pull of reward sums towards 0 (reward models); null: none.</summary>
    public double? CenterRewardsCoefficient { get; init; }
}
