using System.Text.Json.Nodes;
using Handbook.Data.Packing;
using Handbook.Recipes.Keys;
using Handbook.Training.Options;
using Handbook.Training.Schedules;

namespace Handbook.Recipes;

/// <summary>From checked values to the records that the run reads.</summary>
internal static class RunOptionsBinder
{
    public static RunOptions Bind(RecipeValues values, TrainingTask task, Profile profile, JsonObject recipe) => new()
    {
        Task = task,
        Profile = profile,
        Model = Model(values, profile),
        Tokenizer = new TokenizerOptions
        {
            NameOrPath = values.Text("tokenizer_name_or_path"),
            ChatTemplate = values.Text("chat_template"),
            EosToken = values.Text("eos_token"),
            AutoInsertEmptySystemMessage = values.FlagOrNull("auto_insert_empty_system_msg"),
        },
        Data = DataOptionsBinder.Bind(values, task),
        Sequences = Sequences(values, task, profile),
        Optimization = Optimization(values),
        Evaluation = new EvaluationOptions
        {
            Strategy = Interval(values, "eval_strategy"),
            Interval = values.NumberOrNull("eval_steps") is { } steps ? new StepInterval(steps) : new StepInterval(values.Number("logging_steps")),
            AtEnd = values.Flag("do_eval"),
            AtStart = values.Flag("eval_on_start"),
            PerDeviceBatchSize = values.Integer("per_device_eval_batch_size"),
        },
        Checkpoints = Checkpoints(values),
        Logging = Logging(values),
        Hub = new HubOptions { Push = values.Flag("push_to_hub"), ModelId = values.Text("hub_model_id") },
        Preference = Preference(values, task, profile),
        Lora = values.Flag("use_peft") ? Lora(values) : null,
        Quantization = !values.Flag("load_in_4bit") && !values.Flag("load_in_8bit") ? null : new QuantizationOptions
        {
            Bits = values.Flag("load_in_4bit") ? 4 : 8,
            QuantType = values.Text("bnb_4bit_quant_type")!,
            DoubleQuantization = values.Flag("use_bnb_nested_quant"),
        },
        Seed = values.Integer("seed"),
        Environment = (values.TextMap("env") ?? []).ToDictionary(),
        DecisiveKeys = RunKeyValues.Of(values, task, KeyEffect.Result),
        SourceKeys = RunKeyValues.Of(values, task, KeyEffect.Source),
        Recipe = recipe,
    };

    private static ModelOptions Model(RecipeValues values, Profile profile) => new()
    {
        NameOrPath = values.Text("model_name_or_path"),
        Config = values.Json("model_config"),
        Precision = ReadPrecision(values),
        SavedDtype = values.Text("torch_dtype") switch
        {
            "bfloat16" => SavedDtype.Bfloat16,
            "float16" => SavedDtype.Float16,
            "float32" => SavedDtype.Float32,
            "auto" => SavedDtype.Auto,
            // The original loads and saves fp32 when nothing is said, whatever the checkpoint holds.
            _ => profile == Profile.Best ? SavedDtype.Auto : SavedDtype.Float32,
        },
        Recompute = values.Flag("gradient_checkpointing"),
        DisableDropout = values.Flag("disable_dropout"),
        NeftuneNoiseAlpha = values.NumberOrNull("neftune_noise_alpha"),
    };

    private static Precision ReadPrecision(RecipeValues values) => values.Text("precision") switch
    {
        "bf16-mixed" => Precision.Bfloat16Mixed,
        "fp32" => Precision.Float32,
        "bf16" => Precision.Bfloat16,
        "fp16-mixed" => Precision.Float16Mixed,
        _ when values.Flag("fp16") => Precision.Float16Mixed,
        // TRL since 0.18: bf16 unless something else is said; unsaid, it is the machine's choice.
        _ when values.FlagOrNull("bf16") is not { } bf16 || (bf16 && !values.Has("bf16")) => Precision.Auto,
        _ when values.Flag("bf16") => Precision.Bfloat16Mixed,
        _ => values.Text("torch_dtype") == "bfloat16" ? Precision.Bfloat16 : Precision.Float32,
    };

    private static SequenceOptions Sequences(RecipeValues values, TrainingTask task, Profile profile)
    {
        var packing = Tasks.Language.Includes(task) && (values.Has("packing") || !values.Has("packing_strategy") ? values.Flag("packing") : true)
            ? Strategy(values.Text("packing_strategy")!, profile) : PackingStrategy.None;
        return new SequenceOptions
        {
            MaxLength = values.IntegerOrNull("max_length"),
            MaxPromptLength = values.IntegerOrNull("max_prompt_length"),
            MaxCompletionLength = values.IntegerOrNull("max_completion_length"),
            Truncation = values.Text("truncation_mode") switch
            {
                "keep_end" => TruncationMode.KeepEnd,
                "keep_start" => TruncationMode.KeepStart,
                "drop" => TruncationMode.Drop,
                "split" => TruncationMode.Split,
                _ => FromSide(values),
            },
            Packing = packing,
            EvaluationPacking = values.FlagOrNull("eval_packing") switch
            {
                true => Strategy(values.Text("packing_strategy")!, profile),
                false => PackingStrategy.None,
                null => packing,
            },
            LossScope = task == TrainingTask.Cpt ? LossScope.Everything
                : values.Flag("assistant_only_loss") ? LossScope.AssistantTurns
                : values.FlagOrNull("completion_only_loss") switch { true => LossScope.Completions, false => LossScope.Everything, null => LossScope.Auto },
            GroupByLength = values.Flag("group_by_length"),
            DropLastBatch = values.Flag("dataloader_drop_last"),
        };
    }

    /// <summary>The tokenizer's side, where the data's own key says nothing: cutting the left keeps the end.</summary>
    private static TruncationMode? FromSide(RecipeValues values) => values.Text("truncation_side") switch
    {
        "left" => TruncationMode.KeepEnd,
        "right" => TruncationMode.KeepStart,
        _ => null,
    };

    private static PackingStrategy Strategy(string name, Profile profile) => (name, profile) switch
    {
        ("bfd", _) => PackingStrategy.BestFit,
        ("bfd_split", _) => PackingStrategy.BestFitSplit,
        ("ffd", _) => PackingStrategy.BestFitBy1000,
        ("wrapped", Profile.V03) => PackingStrategy.Legacy,
        ("wrapped", Profile.Trl019) => PackingStrategy.WrappedBy1000,
        ("wrapped", _) => PackingStrategy.Wrapped,
        _ => PackingStrategy.None,
    };

    private static OptimizationOptions Optimization(RecipeValues values)
    {
        const string shape = "lr_scheduler_kwargs.";
        return new OptimizationOptions
        {
            LearningRate = values.Number("learning_rate"),
            Schedule = new ScheduleOptions
            {
                Kind = ScheduleTable.KindOf(values.Text("lr_scheduler_type")!)!.Value,
                WarmupSteps = values.Integer("warmup_steps") is > 0 and var steps ? steps : null,
                WarmupRatio = values.Number("warmup_ratio"),
                MinLearningRateRatio = values.NumberOrNull(shape + "min_lr_rate") ?? values.NumberOrNull(shape + "min_lr_ratio"),
                MinLearningRate = values.NumberOrNull(shape + "min_lr"),
                Cycles = values.NumberOrNull(shape + "num_cycles"),
                Power = values.NumberOrNull(shape + "power"),
                EndLearningRate = values.NumberOrNull(shape + "lr_end"),
                StableSteps = values.IntegerOrNull(shape + "num_stable_steps"),
                DecaySteps = values.IntegerOrNull(shape + "num_decay_steps"),
                WarmupType = values.Text(shape + "warmup_type")!,
                DecayType = values.Text(shape + "decay_type")!,
            },
            Optimizer = OptimizationKeys.Optimizers[values.Text("optim")!],
            AdamBeta1 = values.Number("adam_beta1"),
            AdamBeta2 = values.Number("adam_beta2"),
            AdamEpsilon = values.Number("adam_epsilon"),
            WeightDecay = values.Number("weight_decay"),
            MaxGradNorm = values.Number("max_grad_norm"),
            Epochs = values.Number("num_train_epochs"),
            MaxSteps = values.Integer("max_steps") is > 0 and var limit ? limit : null,
            PerDeviceBatchSize = values.Integer("per_device_train_batch_size"),
            GradientAccumulation = values.Integer("gradient_accumulation_steps"),
            Normalization = values.Text("loss_normalization") == "legacy" ? LossNormalization.MicroBatches : LossNormalization.Tokens,
        };
    }

    private static CheckpointOptions Checkpoints(RecipeValues values)
    {
        var isGiven = values.Has("resume_from_checkpoint") && values.Text("resume_from_checkpoint") is not null;
        var mustResume = isGiven && values.Text("resume_from_checkpoint") == "true";
        return new CheckpointOptions
        {
            OutputDirectory = values.Text("output_dir")!,
            Overwrite = values.Flag("overwrite_output_dir"),
            Strategy = Interval(values, "save_strategy"),
            Interval = new StepInterval(values.Number("save_steps")),
            TotalLimit = values.IntegerOrNull("save_total_limit"),
            ResumeFrom = isGiven && !mustResume ? values.Text("resume_from_checkpoint") : null,
            MustResume = mustResume,
            MetricForBest = values.Text("metric_for_best_model"),
            GreaterIsBetter = values.FlagOrNull("greater_is_better"),
            LoadBestAtEnd = values.Flag("load_best_model_at_end"),
            Train = values.Flag("do_train"),
        };
    }

    private static LoggingOptions Logging(RecipeValues values)
    {
        var sinks = values.Texts("report_to")!;
        return new LoggingOptions
        {
            Strategy = Interval(values, "logging_strategy"),
            Interval = new StepInterval(values.Number("logging_steps")),
            FirstStep = values.Flag("logging_first_step"),
            Level = values.Text("log_level") switch
            {
                "debug" => LogLevel.Debug,
                "warning" => LogLevel.Warning,
                "error" or "critical" => LogLevel.Error,
                _ => LogLevel.Info,
            },
            ReportTo = sinks.Contains("none") ? [] : [.. sinks.SelectMany<string, string>(sink => sink switch { "all" => ["tensorboard"], "wandb" => ["tensorboard", "jsonl"], _ => [sink] }).Distinct()],
            RunName = values.Text("run_name"),
            LoggingDirectory = values.Text("logging_dir"),
        };
    }

    private static PreferenceOptions Preference(RecipeValues values, TrainingTask task, Profile profile)
    {
        if (task is TrainingTask.Cpt or TrainingTask.Sft)
            return new PreferenceOptions();
        return new PreferenceOptions
        {
            Beta = values.Number("beta"),
            LossTypes = values.Texts("loss_type") ?? [task == TrainingTask.Bco ? "bco" : "sigmoid"],
            LossWeights = values.Numbers("loss_weights"),
            LabelSmoothing = values.Number("label_smoothing"),
            ReferenceFree = values.Flag("reference_free"),
            RpoAlpha = values.NumberOrNull("rpo_alpha"),
            LdAlpha = values.NumberOrNull("ld_alpha"),
            FDivergence = values.Text("f_divergence_type")!,
            // TRL before 0.29 raised the inverse ratio to this power, and let no pair's weight be more than 1.
            FAlphaDivergenceCoefficient = profile == Profile.Best ? values.Number("f_alpha_divergence_coef") : 1 - values.Number("f_alpha_divergence_coef"),
            WeightLimit = profile == Profile.Best ? null : 1,
            DiscopopTau = values.Number("discopop_tau"),
            UseWeighting = values.Flag("use_weighting"),
            PrecomputeReference = values.Flag("precompute_ref_log_probs"),
            SyncReference = values.Flag("sync_ref_model"),
            ReferenceMixupAlpha = values.Number("ref_model_mixup_alpha"),
            ReferenceSyncSteps = values.Integer("ref_model_sync_steps"),
            ReferenceModel = values.Text("ref_model"),
            CpoAlpha = values.Number("cpo_alpha"),
            SimpoGamma = values.Number("simpo_gamma"),
            AlphaPoAlpha = values.Number("alpha"),
            DesirableWeight = values.Number("desirable_weight"),
            UndesirableWeight = values.Number("undesirable_weight"),
            CenterRewardsCoefficient = values.NumberOrNull("center_rewards_coefficient"),
        };
    }

    private static LoraOptions Lora(RecipeValues values) => new()
    {
        Rank = values.Integer("lora_r"),
        Alpha = values.Number("lora_alpha"),
        Dropout = values.Number("lora_dropout"),
        TargetModules = values.Texts("lora_target_modules"),
        ModulesToSave = values.Texts("lora_modules_to_save") ?? [],
        UseRsLora = values.Flag("use_rslora"),
        UseDora = values.Flag("use_dora"),
        TaskType = values.Text("lora_task_type")!,
    };

    private static IntervalStrategy Interval(RecipeValues values, string key) => values.Text(key) switch
    {
        "steps" => IntervalStrategy.Steps,
        "epoch" => IntervalStrategy.Epoch,
        "best" => IntervalStrategy.Best,
        _ => IntervalStrategy.No,
    };
}
