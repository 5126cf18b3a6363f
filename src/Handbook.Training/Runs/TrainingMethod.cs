using Handbook.Autograd;
using Handbook.Data.Store;
using Handbook.Models;
using Handbook.Torch;
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
    internal IRewardModel Scorer => new ClassifierRewardModel((SequenceClassifier)Model, Forward);

    /// <summary>How the model is run in training.</summary>
    internal ForwardOptions Forward => new()
    {
        Recompute = Options.Model.Recompute,
        NeftuneAlpha = Options.Model.NeftuneNoiseAlpha ?? 0,
        DisableDropout = Options.Model.DisableDropout,
        Observe = Observe,
    };

    /// <summary>Sees what layers make in training; null for nobody.</summary>
    public Action<Tensor>? Observe { get; init; }
}

/// <summary>
/// A way to train, in one row: its command, its data, its model, its losses, its keys and its objective. Everything that tells methods
/// apart asks here; the key table, help, rules between keys and model cards know none by name.
/// </summary>
/// <param name="Name">The command's name, which recipes give as <c>task</c>.</param>
/// <param name="Data">Its examples.</param>
/// <param name="Objective">Makes its objective.</param>
public sealed record TrainingMethod(string Name, StoreKind Data, Func<MethodParts, IObjective> Objective)
{
    /// <summary>One line for the list of commands.</summary>
    public required string Summary { get; init; }

    /// <summary>What the command's own help says of it.</summary>
    public required string Description { get; init; }

    /// <summary>True when a frozen model stands beside the one in training.</summary>
    public bool NeedsReference { get; init; }

    /// <summary>True when the model ends in one score instead of a vocabulary.</summary>
    public bool IsClassifier { get; init; }

    /// <summary>True when the prompt's tokens are labels too.</summary>
    public bool PromptLabels { get; init; }

    /// <summary>True when it reads plain text, and knows no turns.</summary>
    public bool IsPlainText { get; init; }

    /// <summary>True when it may be the first to see conversations, so that the tokens of their turns may have to be added.</summary>
    public bool AddsTurnTokens { get; init; }

    /// <summary>The losses that <c>loss_type</c> may name, the default first; of one alone there is nothing to name.</summary>
    public IReadOnlyList<string> Losses { get; init; } = [];

    /// <summary>Keys of recipes that no method knows but those whose rows name them.</summary>
    public IReadOnlyList<string> Keys { get; init; } = [];

    /// <summary>What the model is for, in the words of model cards.</summary>
    public string PipelineTag => IsClassifier ? "text-classification" : "text-generation";

    /// <summary>Every method there is.</summary>
    public static IReadOnlyList<TrainingMethod> All { get; } =
    [
        new("cpt", StoreKind.Sequences, NextToken)
        {
            Summary = "Continue pretraining on plain text",
            Description = "Continue pretraining on plain text (or start it, with model_config): every token counts in the loss.",
            IsPlainText = true,
        },
        new("sft", StoreKind.Sequences, NextToken)
        {
            Summary = "Fine-tune on conversations, prompts with completions, or text",
            Description = "Fine-tune on conversations, on prompts with completions, or on text.",
            AddsTurnTokens = true,
            Keys = ["assistant_only_loss", "completion_only_loss"],
        },
        new("dpo", StoreKind.Pairs, parts => new PreferenceObjective(parts.Policy, parts.Reference, parts.Options.Preference))
        {
            Summary = "Align to preferences with DPO or one of its family of losses",
            Description = "Align a fine-tuned model to pairs of better and worse answers: "
                + "DPO, IPO, hinge and the rest of the family by loss_type.",
            NeedsReference = true,
            Losses = [.. PreferenceLossTable.Rows.Select(row => row.Name)],
            Keys =
            [
                "loss_weights", "label_smoothing", "reference_free", "rpo_alpha", "ld_alpha", "f_divergence_type",
                "f_alpha_divergence_coef", "discopop_tau", "use_weighting", "sync_ref_model",
                "ref_model_mixup_alpha", "ref_model_sync_steps",
            ],
        },
        new("orpo", StoreKind.Pairs, parts => new OddsRatioObjective(parts.Policy, parts.Options.Preference))
        {
            Summary = "Align to preferences in one stage, without a reference model",
            Description = "Fine-tune and align in one stage: the likelihood of the better answers and the odds against the worse ones.",
            PromptLabels = true,
            AddsTurnTokens = true,
        },
        new("kto", StoreKind.Verdicts, Unpaired)
        {
            Summary = "Align to single answers that were liked or not",
            Description = "Align to answers that were liked or not, each on its own: prompt, completion and label.",
            NeedsReference = true,
            Losses = UnpairedNames(judged => judged.Baseline != BaselineKind.RunningMean),
            Keys = ["desirable_weight", "undesirable_weight"],
        },
        new("reward", StoreKind.Pairs, parts => new RewardObjective(parts.Scorer, parts.Options.Preference))
        {
            Summary = "Train a reward model on pairs of better and worse answers",
            Description = "Train a model that scores answers from pairs of a better and a worse one; "
                + "saved as a sequence classifier with one label.",
            IsClassifier = true,
            Keys = ["center_rewards_coefficient"],
        },
        new("cpo", StoreKind.Pairs, parts => new ContrastiveObjective(parts.Policy, parts.Options.Preference))
        {
            Summary = "Align to preferences without a reference model: CPO, SimPO, AlphaPO",
            Description = "Align to pairs of better and worse answers without a reference model: CPO, and by loss_type SimPO and AlphaPO.",
            Losses = ContrastiveLoss.Names,
            Keys = ["label_smoothing", "cpo_alpha", "simpo_gamma", "alpha"],
        },
        new("bco", StoreKind.Verdicts, Unpaired)
        {
            Summary = "Align to single answers against a running mean of rewards",
            Description = "Align to answers that were liked or not by telling their rewards apart from the running mean.",
            NeedsReference = true,
            Losses = UnpairedNames(judged => judged.Baseline == BaselineKind.RunningMean),
        },
    ];

    private static readonly Dictionary<string, TrainingMethod> ByName = All.ToDictionary(row => row.Name);

    /// <summary>The methods as help lists them: those that read the same data side by side, models that score at the end.</summary>
    public static IEnumerable<TrainingMethod> ByData => All.OrderBy(row => row.IsClassifier).ThenBy(row => row.Data);

    /// <summary>The method of a name; null when there is none.</summary>
    public static TrainingMethod? Find(string name) => ByName.GetValueOrDefault(name);

    /// <summary>The method of a name that is one.</summary>
    public static TrainingMethod Of(string name) => ByName[name];

    /// <summary>The rows of a set as this method trains on them.</summary>
    public TrainingRows Rows(TokenSet set) => new(
        set.RowCount, set.ExampleCount,
        row => PromptLabels ? set.Pair(row).ToSharedPrefix(promptLabels: true) : set.Row(row), set.RowLength);

    private static string[] UnpairedNames(Func<UnpairedLoss, bool> isOurs) =>
        [.. UnpairedLossTable.Rows.Where(isOurs).Select(row => row.Name)];

    private static UnpairedObjective Unpaired(MethodParts parts) => new(parts.Policy, parts.Reference, parts.Options.Preference);

    private static NextTokenObjective NextToken(MethodParts parts) => new(parts.Policy, parts.Options.Optimization.Normalization);
}
