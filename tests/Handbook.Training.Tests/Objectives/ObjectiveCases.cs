using Handbook.Training.Objectives;
using Handbook.Training.Objectives.Preference;
using Handbook.Training.Objectives.RewardModel;
using Handbook.Training.Objectives.Unpaired;
using Handbook.Training.Options;

namespace Handbook.Training.Tests.Objectives;

/// <summary>What an objective's batches are made of.</summary>
internal enum RowKind
{
    Pairs,
    PairsWithPromptLabels,
    ScoredPairs,
    Verdicts,
}

/// <summary>An objective with settings that use all of its terms.</summary>
internal sealed record ObjectiveCase(string Name, RowKind Kind, Func<ObjectiveParts, IObjective> Create);

/// <summary>Every objective that compares completions: each loss, each modifier.</summary>
internal static class ObjectiveCases
{
    private static readonly PreferenceOptions Usual = new() { Beta = 0.2, LabelSmoothing = 0.1 };

    internal static IReadOnlyList<ObjectiveCase> All { get; } =
    [
        .. PreferenceLossTable.Rows.Select(row => Dpo(row.Name, Usual with { LossTypes = [row.Name] })),
        .. Divergence.Kinds.Select(kind => Dpo(kind, Usual with { FDivergence = kind, FAlphaDivergenceCoefficient = 0.6 })),
        Dpo("mixture", Usual with { LossTypes = ["sigmoid", "bco_pair", "aot", "sft"], LossWeights = [0.8, 0.2, 0.5, 1] }),
        Dpo("rpo_alpha", Usual with { RpoAlpha = 0.7 }),
        Dpo("ld_alpha", Usual with { LdAlpha = 0.4 }),
        Dpo("use_weighting", Usual with { UseWeighting = true }),
        Dpo("use_weighting rpo_alpha", Usual with { UseWeighting = true, WeightLimit = 1, RpoAlpha = 0.7 }),
        Dpo("reference_free", Usual with { ReferenceFree = true }),
        new("orpo", RowKind.PairsWithPromptLabels, parts => new OddsRatioObjective(parts.Policy, Usual)),
        .. new[] { "sigmoid", "hinge", "ipo", "simpo" }.Select(name => Cpo(name, Usual with { LossTypes = [name] })),
        Cpo("alphapo", Usual with { LossTypes = ["alphapo"], AlphaPoAlpha = 0.25 }),
        .. UnpairedLossTable.Rows.Select(row => Unpaired(row.Name,
            Usual with { LossTypes = [row.Name], DesirableWeight = 1.3, UndesirableWeight = 0.7 })),
        new("reward", RowKind.ScoredPairs, parts => new RewardObjective(parts.Scorer, Usual)),
        new("reward centred", RowKind.ScoredPairs,
            parts => new RewardObjective(parts.Scorer, Usual with { CenterRewardsCoefficient = 0.05 })),
    ];

    internal static TheoryData<string> Names(Func<ObjectiveCase, bool>? choose = null) =>
    [
        .. All.Where(choose ?? (_ => true)).Select(entry => entry.Name),
    ];

    internal static ObjectiveCase Find(string name) => All.Single(entry => entry.Name == name);

    private static ObjectiveCase Dpo(string name, PreferenceOptions options) =>
        new("dpo " + name, RowKind.Pairs, parts => new PreferenceObjective(parts.Policy, parts.Reference, options));

    private static ObjectiveCase Cpo(string name, PreferenceOptions options) =>
        new("cpo " + name, RowKind.Pairs, parts => new ContrastiveObjective(parts.Policy, options));

    private static ObjectiveCase Unpaired(string name, PreferenceOptions options) =>
        new("unpaired " + name, RowKind.Verdicts, parts => new UnpairedObjective(parts.Policy, parts.Reference, options));
}
