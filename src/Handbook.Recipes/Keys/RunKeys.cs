using Handbook.Training.Options;
using static Handbook.Recipes.Keys.KeyOrigin;
using static Handbook.Recipes.Keys.OptionParts;
using static Handbook.Recipes.Keys.RecipeKeyTable;
using static Handbook.Recipes.Keys.ValueForms;

namespace Handbook.Recipes.Keys;

/// <summary>Run control, logging, uploading: all but the profile may change while a run lives.</summary>
internal static class RunKeys
{
    private static readonly ValueForm<IntervalStrategy> Intervals = OneOf(
        ("no", IntervalStrategy.No), ("steps", IntervalStrategy.Steps), ("epoch", IntervalStrategy.Epoch));

    private static readonly ValueForm<IntervalStrategy> SavingIntervals = OneOf(
        ("no", IntervalStrategy.No), ("steps", IntervalStrategy.Steps), ("epoch", IntervalStrategy.Epoch), ("best", IntervalStrategy.Best));

    private static readonly ValueForm<LogLevel> Levels = OneOf(
        ("debug", LogLevel.Debug), ("info", LogLevel.Info), ("warning", LogLevel.Warning), ("error", LogLevel.Error),
        ("critical", LogLevel.Error), ("passive", LogLevel.Info));

    public static IReadOnlyList<RecipeKey> Rows { get; } =
    [
        Row("profile", Text, Ours, "best",
            "Whose rules are followed where eras differ: best (the original's intent without its faults), v0.3, or trl-0.19 (both faults "
            + "included).")
            with { Choices = ProfileNames.All, Tasks = TaskSet.Everything },
        .. Course.Select(row => row with { Effect = KeyEffect.Course }),
    ];

    private static RecipeKey[] Course =>
    [
        Row("task", TextOrNull, Ours, null, "What the recipe is for; must agree with the command.")
            with { Choices = RecipeTasks.All, Tasks = TaskSet.Everything },
        Row("output_dir", Text, Hf, null, "The folder of the run.")
            .To(Checkpoints, (o, v) => o with { OutputDirectory = v })
            .To(Generation, (o, v) => o with { OutputDirectory = v }) with { IsRequired = true, Tasks = TaskSet.Everything },
        Row("overwrite_output_dir", Flag, Hf, "false",
            "Start anew although the folder holds checkpoints or another run. Without it a run goes on from the newest whole checkpoint, "
            + "and another run's folder is refused.")
            .To(Checkpoints, (o, v) => o with { Overwrite = v }),
        Row("check_memory", Flag, Ours, "true",
            "Before the first step, say what memory and time the run will need, as handbook plan does, and refuse a run that cannot fit.")
            .To(Checkpoints, (o, v) => o with { CheckMemory = v }),
        Row("resume_from_checkpoint", TextOrFlagOrNull, Hf, null, "A checkpoint folder to go on from; true demands that there is one.")
            .To(Checkpoints, (o, v) => o with { MustResume = v == "true", ResumeFrom = v == "true" ? null : v }),
        Row("do_train", Flag, Hf, "true",
            "false only evaluates: the model as it is (or the checkpoint of resume_from_checkpoint), without a step and without new "
            + "weights.")
            .To(Checkpoints, (o, v) => o with { Train = v }),
        Row("do_eval", Flag, Hf, "false", "Evaluate once more at the end.")
            .To(Evaluation, (o, v) => o with { AtEnd = v }),
        Row("eval_strategy", Intervals, Hf, "no", "When to evaluate.")
            .To(Evaluation, (o, v) => o with { Strategy = v }),
        Row("eval_steps", StepsOrNull, Hf, null, "How often, under eval_strategy steps; left out: as logging_steps.")
            .To(Evaluation, (o, v, values) => o with { Interval = new(v ?? values.Number("logging_steps")) }),
        Row("eval_on_start", Flag, Hf, "false", "Evaluate before the first step.")
            .To(Evaluation, (o, v) => o with { AtStart = v }),
        Row("logging_strategy", Intervals, Hf, "steps", "When to report metrics.")
            .To(Logging, (o, v) => o with { Strategy = v }),
        Row("logging_steps", Steps, Hf, "10", "How often, under logging_strategy steps.")
            .To(Logging, (o, v) => o with { Interval = new(v) })
            with { Defaults = [new("500", Profile: Profile.V03), new("10")] },
        Row("logging_first_step", Flag, Hf, "true", "Report the first step too.")
            .To(Logging, (o, v) => o with { FirstStep = v })
            with { Defaults = [new("false", Profile: Profile.Trl019), new("true")] },
        Row("log_level", Levels, Hf, "passive", "How much is said; passive is info.")
            .To(Logging, (o, v) => o with { Level = v }),
        Row("logging_dir", TextOrNull, Hf, null, "Folder of the TensorBoard events; left out: runs/ in output_dir.")
            .To(Logging, (o, v) => o with { LoggingDirectory = v }),
        Row("report_to", Texts, Hf, "[all]", "Where metrics go; all is tensorboard.")
            .To(Logging, (o, v) => o with { ReportTo = Sinks(v) })
            with { Choices = ["all", "none", "tensorboard", "wandb", "jsonl", "csv"] },
        Row("run_name", TextOrNull, Hf, null, "The run's name, the title of its report; left out: output_dir.")
            .To(Logging, (o, v) => o with { RunName = v }),
        Row("save_strategy", SavingIntervals, Hf, "steps", "When to save.")
            .To(Checkpoints, (o, v) => o with { Strategy = v }),
        Row("save_steps", Steps, Hf, "500", "How often, under save_strategy steps.")
            .To(Checkpoints, (o, v) => o with { Interval = new(v) }),
        Row("save_total_limit", IntegerOrNull, Hf, null, "How many checkpoints stay, the best one besides.")
            .To(Checkpoints, (o, v) => o with { TotalLimit = v }) with { Range = NumberRange.From(1) },
        Row("load_best_model_at_end", Flag, Hf, "false", "End with the weights of the best checkpoint.")
            .To(Checkpoints, (o, v) => o with { LoadBestAtEnd = v }),
        Row("metric_for_best_model", TextOrNull, Hf, null, "Which metric decides; left out: loss.")
            .To(Checkpoints, (o, v) => o with { MetricForBest = v }),
        Row("greater_is_better", FlagOrNull, Hf, null, "Whether more of it is better; left out: unless its name ends in loss.")
            .To(Checkpoints, (o, v) => o with { GreaterIsBetter = v }),
        Row("push_to_hub", Flag, Hf, "false", "Upload the result; needs a token before training starts.")
            .To(Hub, (o, v) => o with { Push = v }),
        Row("hub_model_id", TextOrNull, Hf, null, "Repository, whose name the model card takes; left out: the name of output_dir.")
            .To(Hub, (o, v) => o with { ModelId = v }),
        Row("env", TextMapOrNull, Trl, null, "Environment variables, set before anything starts.")
            .To(Run, (o, v) => o with { Environment = v ?? new Dictionary<string, string>() }) with { Tasks = TaskSet.Everything },
    ];

    private static IReadOnlyList<string> Sinks(IReadOnlyList<string> names) => names.Contains("none") ? [] :
    [
        .. names.SelectMany<string, string>(name => name switch
        {
            "all" => ["tensorboard"],
            "wandb" => ["tensorboard", "jsonl"],
            _ => [name],
        }).Distinct(),
    ];
}
