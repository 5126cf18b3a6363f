namespace Handbook.Training.Artefacts;

/// <summary>
/// Names of metrics as transformers and TRL log them, so that curves of both can be laid side by side. Evaluation metrics carry
/// the prefix <see cref="EvaluationPrefix"/>.
/// </summary>
public static class MetricNames
{
    /// <summary>Mean loss over label tokens since the last row.</summary>
    public const string Loss = "loss";
    /// <summary>Global L2 norm of the gradient before clipping.</summary>
    public const string GradientNorm = "grad_norm";
    /// <summary>Learning rate of the last step.</summary>
    public const string LearningRate = "learning_rate";
    /// <summary>What losses are multiplied by under fp16.</summary>
    public const string LossScale = "loss_scale";
    /// <summary>Epochs done, with fraction.</summary>
    public const string Epoch = "epoch";
    /// <summary>Optimizer steps done; in rows and logs only, transformers calls it so in <c>log_history</c>.</summary>
    public const string Step = "step";
    /// <summary>Tokens seen since the run began.</summary>
    public const string TokenCount = "num_tokens";
    /// <summary>Share of label tokens whose most likely token is right, 0 to 1.</summary>
    public const string TokenAccuracy = "mean_token_accuracy";
    /// <summary>Mean entropy of the predicted distributions, in nats.</summary>
    public const string Entropy = "entropy";

    /// <summary>Mean router loss of a mixture of experts, before its coefficient.</summary>
    public const string RouterAuxLoss = "aux_loss";

    /// <summary>Mean loss of the whole run.</summary>
    public const string TrainLoss = "train_loss";
    /// <summary>Seconds the run took.</summary>
    public const string TrainRuntime = "train_runtime";
    /// <summary>Training examples a second.</summary>
    public const string TrainSamplesPerSecond = "train_samples_per_second";
    /// <summary>Optimizer steps a second.</summary>
    public const string TrainStepsPerSecond = "train_steps_per_second";
    /// <summary>Floating-point operations of the run.</summary>
    public const string TotalFlops = "total_flos";
    /// <summary>Examples of the training set.</summary>
    public const string TrainSamples = "train_samples";

    /// <summary>Before every evaluation metric.</summary>
    public const string EvaluationPrefix = "eval_";
    /// <summary>Mean loss over the label tokens of the evaluation set.</summary>
    public const string EvaluationLoss = "eval_loss";
    /// <summary>Seconds the evaluation took.</summary>
    public const string EvaluationRuntime = "eval_runtime";
    /// <summary>Evaluation examples a second.</summary>
    public const string EvaluationSamplesPerSecond = "eval_samples_per_second";
    /// <summary>Evaluation batches a second.</summary>
    public const string EvaluationStepsPerSecond = "eval_steps_per_second";
    /// <summary>Examples of the evaluation set.</summary>
    public const string EvaluationSamples = "eval_samples";

    /// <summary>Mean of beta x (policy - reference) log-probability over chosen completions.</summary>
    public const string ChosenReward = "rewards/chosen";
    /// <summary>The same over rejected completions.</summary>
    public const string RejectedReward = "rewards/rejected";
    /// <summary>Share of pairs whose chosen reward is above the rejected one.</summary>
    public const string RewardAccuracy = "rewards/accuracies";
    /// <summary>Mean difference of chosen and rejected rewards.</summary>
    public const string RewardMargin = "rewards/margins";
    /// <summary>Mean log-probability of chosen completions.</summary>
    public const string ChosenLogps = "logps/chosen";
    /// <summary>Mean log-probability of rejected completions.</summary>
    public const string RejectedLogps = "logps/rejected";
    /// <summary>Mean logit, over vocabulary and label tokens of chosen completions.</summary>
    public const string ChosenLogits = "logits/chosen";
    /// <summary>Mean logit, over vocabulary and label tokens of rejected completions.</summary>
    public const string RejectedLogits = "logits/rejected";
    /// <summary>Mean negative log-likelihood of the chosen completions' tokens (ORPO: and of their prompts').</summary>
    public const string NegativeLikelihood = "nll_loss";
    /// <summary>Mean log sigmoid of the log odds of chosen over rejected (ORPO).</summary>
    public const string LogOddsRatio = "log_odds_ratio";
    /// <summary>Mean log odds of chosen over rejected (ORPO).</summary>
    public const string LogOddsChosen = "log_odds_chosen";
    /// <summary>Divergence of policy and reference that KTO estimates, at least 0.</summary>
    public const string Divergence = "kl";
    /// <summary>Running mean of rewards (BCO).</summary>
    public const string RewardMean = "delta";
    /// <summary>Share of pairs that a reward model orders rightly.</summary>
    public const string Accuracy = "accuracy";
    /// <summary>Mean difference of the scores of chosen and rejected (reward models).</summary>
    public const string Margin = "margin";
    /// <summary>Smallest score of a step (reward models).</summary>
    public const string MinReward = "min_reward";
    /// <summary>Mean score (reward models).</summary>
    public const string MeanReward = "mean_reward";
    /// <summary>Largest score of a step (reward models).</summary>
    public const string MaxReward = "max_reward";
}
