using Handbook.Training.Options;
using static Handbook.Recipes.Keys.KeyKind;
using static Handbook.Recipes.Keys.KeyOrigin;
using static Handbook.Recipes.Keys.RecipeKeyTable;

namespace Handbook.Recipes.Keys;

/// <summary>Run control, logging, uploading: all but the profile may change while a run lives.</summary>
internal static class RunKeys
{
    public static IReadOnlyList<RecipeKey> Rows { get; } =
    [
        Row("profile", TextValue, Ours, "best", "Whose rules are followed where eras differ: best (the original's intent without its faults), v0.3, or trl-0.19 (both faults included).")
            with { Choices = ProfileNames.All, Tasks = Tasks.Everything },
        .. Course.Select(row => row with { Effect = KeyEffect.Course }),
    ];

    private static RecipeKey[] Course =>
    [
        Row("task", TextValue, Ours, null, "What the recipe is for; must agree with the command.") with { Choices = [.. Enum.GetValues<TrainingTask>().Select(TaskSets.CommandName)], Tasks = Tasks.Everything },
        Row("output_dir", TextValue, Hf, null, "The folder of the run.") with { IsRequired = true, IsNullable = false, Tasks = Tasks.Everything },
        Row("overwrite_output_dir", Flag, Hf, "false", "Start anew although the folder holds checkpoints or another run. Without it a run goes on from the newest whole checkpoint, and another run's folder is refused."),
        Row("resume_from_checkpoint", TextOrFlag, Hf, null, "A checkpoint folder to go on from; true demands that there is one."),
        Row("do_train", Flag, Hf, "true", "false only evaluates: the model as it is (or the checkpoint of resume_from_checkpoint), without a step and without new weights."),
        Row("do_eval", Flag, Hf, "false", "Evaluate once more at the end."),
        Row("eval_strategy", TextValue, Hf, "no", "When to evaluate.") with { Choices = ["no", "steps", "epoch"] },
        Row("eval_steps", Steps, Hf, null, "How often, under eval_strategy steps; left out: as logging_steps."),
        Row("eval_on_start", Flag, Hf, "false", "Evaluate before the first step."),
        Row("logging_strategy", TextValue, Hf, "steps", "When to report metrics.") with { Choices = ["no", "steps", "epoch"] },
        Row("logging_steps", Steps, Hf, "10", "How often, under logging_strategy steps.") with { Defaults = [new("500", Profile: Profile.V03), new("10")] },
        Row("logging_first_step", Flag, Hf, "true", "Report the first step too.") with { Defaults = [new("false", Profile: Profile.Trl019), new("true")] },
        Row("log_level", TextValue, Hf, "passive", "How much is said; passive is info.") with { Choices = ["debug", "info", "warning", "error", "critical", "passive"] },
        Row("logging_dir", TextValue, Hf, null, "Folder of the TensorBoard events; left out: runs/ in output_dir."),
        Row("report_to", TextList, Hf, "[all]", "Where metrics go; all is tensorboard.") with { Choices = ["all", "none", "tensorboard", "wandb", "jsonl", "csv"] },
        Row("run_name", TextValue, Hf, null, "The run's name, the title of its report; left out: output_dir."),
        Row("save_strategy", TextValue, Hf, "steps", "When to save.") with { Choices = ["no", "steps", "epoch", "best"] },
        Row("save_steps", Steps, Hf, "500", "How often, under save_strategy steps."),
        Row("save_total_limit", Integer, Hf, null, "How many checkpoints stay, the best one besides.") with { Range = NumberRange.From(1) },
        Row("load_best_model_at_end", Flag, Hf, "false", "End with the weights of the best checkpoint."),
        Row("metric_for_best_model", TextValue, Hf, null, "Which metric decides; left out: loss."),
        Row("greater_is_better", Flag, Hf, null, "Whether more of it is better; left out: unless its name ends in loss."),
        Row("push_to_hub", Flag, Hf, "false", "Upload the result; needs a token before training starts."),
        Row("hub_model_id", TextValue, Hf, null, "Repository, whose name the model card takes; left out: the name of output_dir."),
        Row("env", TextMap, Trl, null, "Environment variables, set before anything starts.") with { Tasks = Tasks.Everything },
    ];
}
