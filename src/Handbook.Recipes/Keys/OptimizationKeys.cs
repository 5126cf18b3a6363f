using Handbook.Training.Options;
using Handbook.Training.Schedules;
using static Handbook.Recipes.Keys.KeyKind;
using static Handbook.Recipes.Keys.KeyOrigin;
using static Handbook.Recipes.Keys.RecipeKeyTable;

namespace Handbook.Recipes.Keys;

/// <summary>Optimizer, schedule, batches.</summary>
internal static class OptimizationKeys
{
    /// <summary>Optimizers by recipe name.</summary>
    public static IReadOnlyDictionary<string, OptimizerKind> Optimizers { get; } = new Dictionary<string, OptimizerKind>
    {
        ["adamw_torch"] = OptimizerKind.AdamW,
        ["adamw_torch_fused"] = OptimizerKind.AdamW,
        ["adamw_hf"] = OptimizerKind.AdamW,
        ["paged_adamw_32bit"] = OptimizerKind.AdamW,
        ["paged_adamw"] = OptimizerKind.AdamW,
        ["adamw_bnb_8bit"] = OptimizerKind.AdamW8Bit,
        ["adamw_8bit"] = OptimizerKind.AdamW8Bit,
        ["paged_adamw_8bit"] = OptimizerKind.AdamW8Bit,
        ["rmsprop"] = OptimizerKind.RmsProp,
        ["sgd"] = OptimizerKind.Sgd,
        ["lion_32bit"] = OptimizerKind.Lion,
        ["adafactor"] = OptimizerKind.Adafactor,
    };

    private const string Shape = "lr_scheduler_kwargs.";

    public static IReadOnlyList<RecipeKey> Rows { get; } =
    [
        Row("learning_rate", Number, Hf, "2.0e-5", "The peak learning rate.")
            with { Range = NumberRange.From(0), Defaults = [new("2.0e-5", Tasks.Language), new("1.0e-6", Tasks.Preference & ~Tasks.Reward), new("1.0e-5", Tasks.Reward)] },
        Row("optim", TextValue, Hf, "adamw_torch", "The optimizer. The paged names keep their states in ordinary memory here.")
            with { Choices = [.. Optimizers.Keys], Defaults = [new("rmsprop", Tasks.Dpo, Profile.V03), new("adamw_torch")] },
        Row("adam_beta1", Number, Hf, "0.9", "Decay of the first moment.") with { Range = NumberRange.Below(0, 1) },
        Row("adam_beta2", Number, Hf, "0.999", "Decay of the second moment.") with { Range = NumberRange.Below(0, 1) },
        Row("adam_epsilon", Number, Hf, "1.0e-8", "Added to the root of the second moment.") with { Range = NumberRange.From(0) },
        Row("weight_decay", Number, Hf, "0.0", "Decoupled decay; biases and norm weights are spared.") with { Range = NumberRange.From(0) },
        Row("max_grad_norm", Number, Hf, "1.0", "Gradients are scaled down to this global norm; 0 never does. grad_norm in the log is the norm before.")
            with { Range = NumberRange.From(0) },
        Row("lr_scheduler_type", TextValue, Hf, "linear", "The course of the learning rate.") with { Choices = ScheduleTable.Names },
        Row("lr_scheduler_kwargs", Section, Hf, null, "The shape of the schedule."),
        Row(Shape + "min_lr_rate", Number, Hf, null, "cosine_with_min_lr: the floor as a share of the peak.") with { Range = NumberRange.Within(0, 1) },
        Row(Shape + "min_lr", Number, Hf, null, "cosine_with_min_lr: the floor itself.") with { Range = NumberRange.From(0) },
        Row(Shape + "min_lr_ratio", Number, Hf, null, "warmup_stable_decay: the floor as a share of the peak.") with { Range = NumberRange.Within(0, 1) },
        Row(Shape + "num_cycles", Number, Hf, null, "Cycles of a cosine.") with { Range = NumberRange.Above(0) },
        Row(Shape + "power", Number, Hf, null, "polynomial: the exponent.") with { Range = NumberRange.Above(0) },
        Row(Shape + "lr_end", Number, Hf, null, "polynomial: where it ends.") with { Range = NumberRange.From(0) },
        Row(Shape + "timescale", Integer, Hf, null, "No effect here: transformers takes the steps of warm-up (or 10000) whatever is written, and so do we.")
            with { Verb = KeyVerb.Accept },
        Row(Shape + "num_stable_steps", Integer, Hf, null, "warmup_stable_decay: steps of the plateau.") with { Range = NumberRange.From(0) },
        Row(Shape + "num_decay_steps", Integer, Hf, null, "warmup_stable_decay: steps of the way down.") with { Range = NumberRange.From(0) },
        Row(Shape + "warmup_type", TextValue, Hf, "linear", "warmup_stable_decay: the form of warm-up.") with { Choices = ["linear", "cosine", "1-sqrt"] },
        Row(Shape + "decay_type", TextValue, Hf, "cosine", "warmup_stable_decay: the form of the way down.") with { Choices = ["linear", "cosine", "1-sqrt"] },
        Row("warmup_ratio", Number, Hf, "0.0", "Warm-up as a share of all steps, rounded up.") with { Range = NumberRange.Within(0, 1) },
        Row("warmup_steps", Integer, Hf, "0", "Steps of warm-up; above 0 it wins over warmup_ratio.") with { Range = NumberRange.From(0) },
        Row("num_train_epochs", Number, Hf, "3.0", "Passes over the data; packed rows are counted.") with { Range = NumberRange.Above(0), Effect = KeyEffect.Course },
        Row("max_steps", Integer, Hf, "-1", "Optimizer steps; above 0 it wins over num_train_epochs.") with { Range = NumberRange.From(-1), Effect = KeyEffect.Course },
        Row("per_device_train_batch_size", Integer, Hf, "8", "Rows a micro-batch.") with { Range = NumberRange.From(1) },
        Row("per_device_eval_batch_size", Integer, Hf, "8", "Rows a micro-batch of evaluation.") with { Range = NumberRange.From(1), Effect = KeyEffect.Course },
        Row("gradient_accumulation_steps", Integer, Hf, "1", "Micro-batches an optimizer step; the loss is averaged over the label tokens of all of them.")
            with { Range = NumberRange.From(1) },
        Row("loss_normalization", TextValue, Ours, "tokens", "tokens: average over the label tokens of the whole accumulated batch. legacy: the mean of micro-batch means (transformers before 4.46).")
            with { Choices = ["tokens", "legacy"], Defaults = [new("legacy", Profile: Profile.V03), new("tokens")] },
        Row("seed", Integer, Hf, "42", "Seed of new weights, dropout and the order of the data.") with { Range = NumberRange.From(0), Tasks = Tasks.Everything },
    ];
}
