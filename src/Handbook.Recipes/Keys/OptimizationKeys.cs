using Handbook.Training.Options;
using Handbook.Training.Schedules;
using static Handbook.Recipes.Keys.KeyOrigin;
using static Handbook.Recipes.Keys.OptionParts;
using static Handbook.Recipes.Keys.RecipeKeyTable;
using static Handbook.Recipes.Keys.ValueForms;

namespace Handbook.Recipes.Keys;

/// <summary>Optimizer, schedule, batches.</summary>
internal static class OptimizationKeys
{
    private static readonly ValueForm<(OptimizerKind Kind, OptimizerStates States)> Optimizers = OneOf(
        [
            .. Names(OptimizerKind.AdamW, OptimizerStates.Float32,
                "adamw_torch", "adamw_torch_fused", "adamw_hf", "paged_adamw", "paged_adamw_32bit"),
            .. Names(OptimizerKind.AdamW, OptimizerStates.Blocks8Bit, "adamw_bnb_8bit", "adamw_8bit", "paged_adamw_8bit"),
            .. Names(OptimizerKind.Lion, OptimizerStates.Float32, "lion", "lion_32bit", "paged_lion_32bit"),
            .. Names(OptimizerKind.Lion, OptimizerStates.Blocks8Bit, "lion_8bit", "paged_lion_8bit"),
            .. Names(OptimizerKind.RmsProp, OptimizerStates.Float32, "rmsprop", "rmsprop_bnb", "rmsprop_bnb_32bit"),
            .. Names(OptimizerKind.RmsProp, OptimizerStates.Blocks8Bit, "rmsprop_bnb_8bit"),
            .. Names(OptimizerKind.Sgd, OptimizerStates.Float32, "sgd"),
            .. Names(OptimizerKind.Adafactor, OptimizerStates.Float32, "adafactor"),
            .. Names(OptimizerKind.Muon, OptimizerStates.Float32, "muon"),
        ]);

    private static readonly ValueForm<MuonAdjustment> MuonAdjustments = OneOf(
        ("match_rms_adamw", MuonAdjustment.MatchRmsAdamW), ("original", MuonAdjustment.Original));

    private static readonly ValueForm<ScheduleKind> Schedules = OneOf(
        [.. ScheduleTable.Names.Select(name => (name, ScheduleTable.KindOf(name)!.Value))]);

    private static readonly ValueForm<LossNormalization> Normalizations = OneOf(
        ("tokens", LossNormalization.Tokens), ("legacy", LossNormalization.MicroBatches));

    private const string Shape = "lr_scheduler_kwargs.";

    private static IEnumerable<(string, (OptimizerKind, OptimizerStates))> Names(
        OptimizerKind kind, OptimizerStates states, params string[] names) => names.Select(name => (name, (kind, states)));

    public static IReadOnlyList<RecipeKey> Rows { get; } =
    [
        Row("learning_rate", Number, Hf, "2.0e-5", "The peak learning rate.")
            .To(Optimization, (o, v) => o with { LearningRate = v })
            with
            {
                Range = NumberRange.From(0),
                Defaults = [new("2.0e-5", TaskSet.Language), new("1.0e-6", TaskSet.Alignment), new("1.0e-5", TaskSet.Classifiers)],
            },
        Row("optim", Optimizers, Hf, "adamw_torch",
            "The optimizer. Names with 8bit keep its running averages in 8 bits as bitsandbytes does (block-wise dynamic codes; weights "
            + "under 4096 elements and embeddings stay in fp32); paged ones keep them in ordinary memory here. muon moves hidden matrices, "
            + "and AdamW the rest; adafactor takes the schedule's learning rate.")
            .To(Optimization, (o, v) => o with { Optimizer = v.Kind, States = v.States })
            with { Defaults = [new("rmsprop", TaskSet.PairsWithReference, Profile.V03), new("adamw_torch")] },
        Row("adam_beta1", Number, Hf, "0.9", "Decay of the first moment (AdamW, Lion, AdamW beside Muon).")
            .To(Optimization, (o, v) => o with { AdamBeta1 = v }) with { Range = NumberRange.Below(0, 1) },
        Row("adam_beta2", Number, Hf, "0.999", "Decay of the second moment (AdamW), of the momentum (Lion).")
            .To(Optimization, (o, v) => o with { AdamBeta2 = v }) with { Range = NumberRange.Below(0, 1) },
        Row("adam_epsilon", Number, Hf, "1.0e-8", "Added to the root of the second moment.")
            .To(Optimization, (o, v) => o with { AdamEpsilon = v }) with { Range = NumberRange.From(0) },
        Row("muon_adjust_lr_fn", MuonAdjustments, Ours, "match_rms_adamw",
            "optim muon: the length of its steps. match_rms_adamw: 0.2 sqrt(max(rows, columns)) learning rates, so that AdamW's learning "
            + "rate and decay go for it; original: sqrt(max(1, rows / columns)), as Keller Jordan's.")
            .To(Optimization, (o, v) => o with { MuonAdjustment = v }),
        Row("weight_decay", Number, Hf, "0.0", "Decoupled decay; biases and norm weights are spared.")
            .To(Optimization, (o, v) => o with { WeightDecay = v }) with { Range = NumberRange.From(0) },
        Row("max_grad_norm", Number, Hf, "1.0",
            "Gradients are scaled down to this global norm; 0 never does. grad_norm in the log is the norm before.")
            .To(Optimization, (o, v) => o with { MaxGradNorm = v }) with { Range = NumberRange.From(0) },
        Row("lr_scheduler_type", Schedules, Hf, "linear", "The course of the learning rate.")
            .To(Schedule, (o, v) => o with { Kind = v }),
        Row("lr_scheduler_kwargs", SectionOrNull, Hf, null, "The shape of the schedule."),
        Row(Shape + "min_lr_rate", NumberOrNull, Hf, null, "cosine_with_min_lr: the floor as a share of the peak.")
            .To(Schedule, (o, v) => o with { MinLearningRateRatio = v }) with { Range = NumberRange.Within(0, 1) },
        Row(Shape + "min_lr", NumberOrNull, Hf, null, "cosine_with_min_lr: the floor itself.")
            .To(Schedule, (o, v) => o with { MinLearningRate = v }) with { Range = NumberRange.From(0) },
        Row(Shape + "min_lr_ratio", NumberOrNull, Hf, null, "warmup_stable_decay: the floor as a share of the peak.")
            .To(Schedule, (o, v) => o with { MinLearningRateRatio = o.MinLearningRateRatio ?? v })
            with { Range = NumberRange.Within(0, 1) },
        Row(Shape + "num_cycles", NumberOrNull, Hf, null, "Cycles of a cosine.")
            .To(Schedule, (o, v) => o with { Cycles = v }) with { Range = NumberRange.Above(0) },
        Row(Shape + "power", NumberOrNull, Hf, null, "polynomial: the exponent.")
            .To(Schedule, (o, v) => o with { Power = v }) with { Range = NumberRange.Above(0) },
        Row(Shape + "lr_end", NumberOrNull, Hf, null, "polynomial: where it ends.")
            .To(Schedule, (o, v) => o with { EndLearningRate = v }) with { Range = NumberRange.From(0) },
        Row(Shape + "timescale", IntegerOrNull, Hf, null,
            "No effect here: transformers takes the steps of warm-up (or 10000) whatever is written, and so do we.")
            with { Verb = KeyVerb.Accept },
        Row(Shape + "num_stable_steps", IntegerOrNull, Hf, null, "warmup_stable_decay: steps of the plateau.")
            .To(Schedule, (o, v) => o with { StableSteps = v }) with { Range = NumberRange.From(0) },
        Row(Shape + "num_decay_steps", IntegerOrNull, Hf, null, "warmup_stable_decay: steps of the way down.")
            .To(Schedule, (o, v) => o with { DecaySteps = v }) with { Range = NumberRange.From(0) },
        Row(Shape + "warmup_type", Text, Hf, "linear", "warmup_stable_decay: the form of warm-up.")
            .To(Schedule, (o, v) => o with { WarmupType = v }) with { Choices = ["linear", "cosine", "1-sqrt"] },
        Row(Shape + "decay_type", Text, Hf, "cosine", "warmup_stable_decay: the form of the way down.")
            .To(Schedule, (o, v) => o with { DecayType = v }) with { Choices = ["linear", "cosine", "1-sqrt"] },
        Row("warmup_ratio", Number, Hf, "0.0", "Warm-up as a share of all steps, rounded up.")
            .To(Schedule, (o, v) => o with { WarmupRatio = v }) with { Range = NumberRange.Within(0, 1) },
        Row("warmup_steps", Integer, Hf, "0", "Steps of warm-up; above 0 it wins over warmup_ratio.")
            .To(Schedule, (o, v) => o with { WarmupSteps = v > 0 ? v : null }) with { Range = NumberRange.From(0) },
        Row("num_train_epochs", Number, Hf, "3.0", "Passes over the data; packed rows are counted.")
            .To(Optimization, (o, v) => o with { Epochs = v })
            with { Range = NumberRange.Above(0), Effect = KeyEffect.Course },
        Row("max_steps", Integer, Hf, "-1", "Optimizer steps; above 0 it wins over num_train_epochs.")
            .To(Optimization, (o, v) => o with { MaxSteps = v > 0 ? v : null })
            with { Range = NumberRange.From(-1), Effect = KeyEffect.Course },
        Row("per_device_train_batch_size", Integer, Hf, "8", "Rows a micro-batch.")
            .To(Optimization, (o, v) => o with { PerDeviceBatchSize = v }) with { Range = NumberRange.From(1) },
        Row("per_device_eval_batch_size", Integer, Hf, "8", "Rows a micro-batch of evaluation.")
            .To(Evaluation, (o, v) => o with { PerDeviceBatchSize = v })
            with { Range = NumberRange.From(1), Effect = KeyEffect.Course },
        Row("gradient_accumulation_steps", Integer, Hf, "1",
            "Micro-batches an optimizer step; the loss is averaged over the label tokens of all of them.")
            .To(Optimization, (o, v) => o with { GradientAccumulation = v }) with { Range = NumberRange.From(1) },
        Row("loss_normalization", Normalizations, Ours, "tokens",
            "tokens: average over the label tokens of the whole accumulated batch. legacy: the mean of micro-batch means (transformers "
            + "before 4.46).")
            .To(Optimization, (o, v) => o with { Normalization = v })
            with { Defaults = [new("legacy", Profile: Profile.V03), new("tokens")] },
        Row("seed", Integer, Hf, "42", "Seed of new weights, dropout and the order of the data.")
            .To(Run, (o, v) => o with { Seed = v })
            .To(Generation, (o, v) => o with { Seed = v })
            with { Range = NumberRange.From(0), Tasks = TaskSet.Everything },
    ];
}
