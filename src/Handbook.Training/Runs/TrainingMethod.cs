using Handbook.Autograd;
using Handbook.Data.Store;
using Handbook.Models;
using Handbook.Training.Loop;
using Handbook.Training.Objectives;
using Handbook.Training.Objectives.Preference;
using Handbook.Training.Objectives.RewardModel;
using Handbook.Training.Objectives.Unpaired;
using Handbook.Training.Options;

namespace Handbook.Training.Runs;

/// <summary>What an objective is made of.</summary>
/// <param name="Model">The model in training, of the method's kind.</param>
/// <param name="Options">The run.</param>
/// <param name="Reference">The frozen model's log-probabilities; zeros for methods without one.</param>
public sealed record MethodParts(IPretrainedModel Model, RunOptions Options, IReferenceLogps Reference)
{
    /// <summary>The model as a language model.</summary>
    internal IPolicy Policy => new CausalPolicy((CausalLanguageModel)Model, Forward);

    /// <summary>The model as a reward model.</summary>
    internal IScorer Scorer => new ClassifierScorer((SequenceClassifier)Model, Forward);

    /// <summary>How the model is run in training.</summary>
    internal ForwardOptions Forward => new()
    {
        Recompute = Options.Model.Recompute,
        NeftuneAlpha = Options.Model.NeftuneNoiseAlpha ?? 0,
        DisableDropout = Options.Model.DisableDropout,
    };
}

/// <summary>A way to train: which data it reads, which model it moves, what its loss is. A method is a row of the table below.</summary>
/// <param name="Task">The task whose command runs it.</param>
/// <param name="Data">Its examples.</param>
/// <param name="Objective">Makes its objective.</param>
public sealed record TrainingMethod(TrainingTask Task, StoreKind Data, Func<MethodParts, IObjective> Objective)
{
    /// <summary>True when a frozen model stands beside the one in training.</summary>
    public bool NeedsReference { get; init; }

    /// <summary>True when the model ends in one score instead of a vocabulary.</summary>
    public bool IsClassifier { get; init; }

    /// <summary>True when the prompt's tokens are labels too.</summary>
    public bool PromptLabels { get; init; }

    /// <summary>Every method there is.</summary>
    public static IReadOnlyList<TrainingMethod> All { get; } =
    [
        new(TrainingTask.Cpt, StoreKind.Sequences, NextToken),
        new(TrainingTask.Sft, StoreKind.Sequences, NextToken),
        new(TrainingTask.Dpo, StoreKind.Pairs, parts => new PreferenceObjective(parts.Policy, parts.Reference, parts.Options.Preference)) { NeedsReference = true },
        new(TrainingTask.Orpo, StoreKind.Pairs, parts => new OddsRatioObjective(parts.Policy, parts.Options.Preference)) { PromptLabels = true },
        new(TrainingTask.Cpo, StoreKind.Pairs, parts => new ContrastiveObjective(parts.Policy, parts.Options.Preference)),
        new(TrainingTask.Kto, StoreKind.Verdicts, Unpaired) { NeedsReference = true },
        new(TrainingTask.Bco, StoreKind.Verdicts, Unpaired) { NeedsReference = true },
        new(TrainingTask.Reward, StoreKind.Pairs, parts => new RewardObjective(parts.Scorer, parts.Options.Preference)) { IsClassifier = true },
    ];

    /// <summary>The method of a task.</summary>
    public static TrainingMethod Of(TrainingTask task) => All.First(row => row.Task == task);

    /// <summary>The rows of a set as this method trains on them.</summary>
    public TrainingRows Rows(TokenSet set) => new(
        set.RowCount, set.ExampleCount, row => PromptLabels ? set.Pair(row).ToSharedPrefix(promptLabels: true) : set.Row(row), set.RowLength);

    private static UnpairedObjective Unpaired(MethodParts parts) => new(parts.Policy, parts.Reference, parts.Options.Preference);

    private static NextTokenObjective NextToken(MethodParts parts) => new(parts.Policy, parts.Options.Optimization.Normalization);
}
