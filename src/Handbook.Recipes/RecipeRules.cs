using Handbook.Recipes.Keys;
using Handbook.Recipes.Yaml;
using Handbook.Templates;
using Handbook.Torch;
using Handbook.Training.Objectives.Preference;
using Handbook.Training.Runs;
using Problem = (Handbook.Recipes.Yaml.YamlPosition Position, string Text);

namespace Handbook.Recipes;

/// <summary>The rules between keys: what each key alone cannot tell.</summary>
internal static class RecipeRules
{
    private static readonly Dictionary<string, string[]> ShapeOfSchedule = new()
    {
        ["cosine"] = ["num_cycles"],
        ["cosine_with_min_lr"] = ["min_lr_rate", "min_lr", "num_cycles"],
        ["cosine_with_restarts"] = ["num_cycles"],
        ["polynomial"] = ["power", "lr_end"],
        ["inverse_sqrt"] = ["timescale"],
        ["warmup_stable_decay"] = ["num_stable_steps", "num_decay_steps", "min_lr_ratio", "num_cycles", "warmup_type", "decay_type"],
    };

    /// <summary>Every rule that does not hold; remarks go to <paramref name="notes"/>.</summary>
    public static IEnumerable<Problem> Check(RecipeValues values, string task, List<string> notes, Func<YamlPosition, string> at)
    {
        void Note(string key, string text) => notes.Add($"{at(values.Find(key)!.Position)}: {key}: {text}");
        if (TaskSet.Generation.Includes(task))
            return [.. General(values, task), .. GenerationRules.Check(values, task, Note)];
        AddNotes(values, task, Note);
        return
        [
            .. General(values, task), .. Model(values), .. Data(values), .. Sequences(values, task), .. Schedule(values), .. Saving(values),
            .. Adapters(values), .. Preference(values, task),
        ];
    }

    private static void AddNotes(RecipeValues values, string task, Action<string, string> note)
    {
        if (values.Has("dataset_mixture") && values.Has("dataset_name"))
            note("dataset_name", "dataset_mixture wins over it.");
        if (values.Integer("warmup_steps") > 0 && values.Has("warmup_ratio") && values.Number("warmup_ratio") > 0)
            note("warmup_ratio", "warmup_steps wins over it.");
        if (values.Integer("max_steps") > 0 && values.Has("num_train_epochs"))
            note("num_train_epochs", "max_steps wins over it.");
        if (!values.Flag("use_peft"))
        {
            foreach (var key in values.Given.Where(value => value.Path.StartsWith("lora_", StringComparison.Ordinal)).ToList())
                note(key.Path, "has no effect without use_peft: true.");
        }
        if (!values.Flag("load_in_4bit"))
        {
            foreach (var key in new[] { "bnb_4bit_quant_type", "use_bnb_nested_quant" }.Where(values.Has))
                note(key, "has no effect without load_in_4bit: true.");
        }
        if (values.Has("packing_strategy") && values.Has("packing") && !values.Flag("packing") && values.Text("packing_strategy") != "none")
            note("packing_strategy", "has no effect with packing: false.");
        if (TaskSet.Conversations.Includes(task) && values.Has("text_column"))
            note("text_column", "has no effect on sft; dataset_text_field names its text column.");
        if (values.Has("report_to") && values.Texts("report_to")!.Contains("wandb"))
            note("report_to", "nothing is sent to wandb; TensorBoard events and JSON lines are written.");
    }

    private static IEnumerable<Problem> General(RecipeValues values, string task)
    {
        foreach (var key in values.Given)
        {
            if (RecipeKeyTable.Find(key.Path)?.OnlyWith is { } other && !values.Has(other))
                yield return At(values, key.Path, $"belongs to {other}, which is not given.");
        }
        if (values.Text("task") is { } named && named != task)
            yield return At(values, "task", $"the recipe is for {named}, the command is {task}.");
        if (values.Text("chat_template") is { } template && FaultOf(template) is { } fault)
            yield return At(values, "chat_template", fault);
    }

    private static string? FaultOf(string template)
    {
        try
        {
            Template.Parse(template);
            return null;
        }
        catch (TemplateException fault)
        {
            return fault.Message;
        }
    }

    private static IEnumerable<Problem> Model(RecipeValues values)
    {
        if (values.Text("model_name_or_path") is null && values.Json("model_config") is null)
            yield return At(values, null, "model_name_or_path: is required: a local folder or a hub id (or model_config for a new model).");
        if (values.Text("model_name_or_path") is not null && values.Json("model_config") is not null)
            yield return At(values, "model_config", "describes a new model, but model_name_or_path names one too; give one of them.");
        if (values.Json("model_config") is { } config && !config.ContainsKey("model_type"))
            yield return At(values, "model_config", "has no model_type, the architecture's name (llama, ...).");
        if (values.Json("model_config") is not null && values.Text("tokenizer_name_or_path") is null)
            yield return At(values, "model_config", "needs tokenizer_name_or_path: a new model has no tokenizer of its own.");
        if (values.Text("device") is { } device && !DeviceChoice.IsOne(device))
            yield return At(values, "device", $"expected {DeviceChoice.Expected}, found {device}.");
        if (values.FlagOrNull("bf16") == true && values.Has("bf16") && values.Flag("fp16"))
            yield return At(values, "fp16", "bf16 and fp16 exclude each other.");
        if (values.Text("precision") is { } precision and not "auto")
        {
            if (values.Has("bf16") && values.FlagOrNull("bf16") == true && precision is "fp32" or "fp16-mixed")
                yield return At(values, "precision", $"{precision} contradicts bf16: true.");
            if (values.Flag("fp16") && precision != "fp16-mixed")
                yield return At(values, "precision", $"{precision} contradicts fp16: true.");
        }
    }

    private static IEnumerable<Problem> Data(RecipeValues values)
    {
        if (!values.Has("dataset_mixture") && !values.Has("dataset_mixer") && values.Text("dataset_name") is null)
            yield return At(values, null, "dataset_name: is required: a file, a folder or a hub id (or dataset_mixture for several).");
        if (values.Has("dataset_mixture") && values.Has("dataset_mixer"))
            yield return At(values, "dataset_mixer", "is v0.3's form of dataset_mixture; give one of them.");
        if (values.Has("dataset_mixer"))
        {
            foreach (var split in values.Texts("dataset_splits") ?? [])
            {
                if (!split.Contains("train", StringComparison.Ordinal) && !split.Contains("test", StringComparison.Ordinal))
                    yield return At(values, "dataset_splits",
                        $"'{split}' contains neither train nor test, so nobody knows what it is for.");
            }
            var mixer = values.NumberMap("dataset_mixer")!;
            if (mixer.Count == 0)
                yield return At(values, "dataset_mixer", "is empty.");
            if (values.Texts("dataset_configs") is { } configs && configs.Count != mixer.Count)
                yield return At(values, "dataset_configs",
                    $"has {Quantity.Of(configs.Count, "entry", "entries")} for "
                        + $"{Quantity.Of(mixer.Count, "dataset")}; it must have one for each.");
        }
        string[]? first = null;
        for (var i = 0; i < values.Count("dataset_mixture.datasets"); i++)
        {
            var columns = values.Texts($"dataset_mixture.datasets[{i}].columns")?.Order(StringComparer.Ordinal).ToArray();
            if (columns is null)
                continue;
            first ??= columns;
            if (!columns.SequenceEqual(first))
            {
                yield return At(values, $"dataset_mixture.datasets[{i}].columns",
                    $"[{string.Join(", ", columns)}] are not the columns of the datasets before it, "
                        + $"[{string.Join(", ", first)}]; they must be the same.");
            }
        }
    }

    private static IEnumerable<Problem> Sequences(RecipeValues values, string task)
    {
        if (values.Text("truncation_mode") == "split" && !TaskSet.Language.Includes(task))
            yield return At(values, "truncation_mode",
                $"split belongs to cpt and sft: the answers of {task} stand or fall with "
                    + "their prompt; expected keep_end, keep_start or drop.");
        if (values.Flag("assistant_only_loss") && values.FlagOrNull("completion_only_loss") == true)
            yield return At(values, "assistant_only_loss", "excludes completion_only_loss: true; give one of them.");
        if (values.IntegerOrNull("max_prompt_length") is { } prompt && values.Has("max_prompt_length")
            && values.IntegerOrNull("max_length") is { } all && values.Has("max_length") && prompt >= all)
        {
            yield return At(values, "max_prompt_length",
                $"{prompt} leaves nothing of max_length ({all}) for the answer; it must be smaller.");
        }
    }

    private static IEnumerable<Problem> Schedule(RecipeValues values)
    {
        const string section = "lr_scheduler_kwargs.";
        var kind = values.Text("lr_scheduler_type")!;
        var allowed = ShapeOfSchedule.GetValueOrDefault(kind, []);
        foreach (var key in values.Given.Where(value => value.Path.StartsWith(section, StringComparison.Ordinal)))
        {
            if (!allowed.Contains(key.Path[section.Length..]))
            {
                yield return At(values, key.Path, allowed.Length == 0 ? $"{kind} has no such parameter, nor any other."
                    : $"{kind} has no such parameter; it has {string.Join(", ", allowed)}.");
            }
        }
        var (rate, floor) = (values.NumberOrNull(section + "min_lr_rate"), values.NumberOrNull(section + "min_lr"));
        if (kind == "cosine_with_min_lr" && (rate is null) == (floor is null))
            yield return At(values, "lr_scheduler_type",
                "cosine_with_min_lr needs exactly one of lr_scheduler_kwargs.min_lr_rate and .min_lr.");
        if (floor > values.Number("learning_rate"))
            yield return At(values, section + "min_lr", "is above the learning rate.");
        if (kind == "warmup_stable_decay" && values.IntegerOrNull(section + "num_decay_steps") is null)
            yield return At(values, "lr_scheduler_type", "warmup_stable_decay needs lr_scheduler_kwargs.num_decay_steps.");
    }

    private static IEnumerable<Problem> Saving(RecipeValues values)
    {
        var (save, evaluate) = (values.Text("save_strategy")!, values.Text("eval_strategy")!);
        if (!values.Flag("do_train") && !values.Flag("do_eval") && evaluate == "no" && !values.Flag("eval_on_start"))
            yield return At(values, "do_train", "false leaves nothing to do without do_eval: true.");
        if (save == "best" && evaluate == "no")
            yield return At(values, "save_strategy", "best needs an eval_strategy: without evaluation nothing is best.");
        if (!values.Flag("load_best_model_at_end"))
            yield break;
        if (evaluate == "no")
            yield return At(values, "load_best_model_at_end", "needs an eval_strategy: without evaluation nothing is best.");
        else if (save != "best" && save != evaluate)
            yield return At(values, "load_best_model_at_end",
                $"needs save_strategy ({save}) and eval_strategy ({evaluate}) to be the same.");
    }

    private static IEnumerable<Problem> Adapters(RecipeValues values)
    {
        if (values.Flag("load_in_4bit") && values.Flag("load_in_8bit"))
            yield return At(values, "load_in_8bit", "excludes load_in_4bit; give one of them.");
        if (values.Flag("use_dora") && values.Text("init_lora_weights")?.StartsWith("pissa", StringComparison.Ordinal) == true)
            yield return At(values, "use_dora", "excludes init_lora_weights: pissa, whose beginning is taken out of the weight again.");
        if (values.Texts("lora_target_parameters") is { Count: > 0 } && values.Flag("use_peft") && !values.Has("adapter_name_or_path"))
        {
            if (values.Number("lora_dropout") is var dropout and not 0)
                yield return At(values, "lora_dropout",
                    FormattableString.Invariant($"is {dropout}; lora_target_parameters need 0: PEFT has no dropout before a parameter."));
            if (values.Flag("use_dora"))
                yield return At(values, "use_dora", "excludes lora_target_parameters: PEFT has no DoRA around a parameter.");
        }
        foreach (var key in new[] { "load_in_4bit", "load_in_8bit" }.Where(key => values.Flag(key) && !values.Flag("use_peft")))
            yield return At(values, key, "needs use_peft: true: weights in few bits are frozen, an adapter is what trains.");
    }

    private static IEnumerable<Problem> Preference(RecipeValues values, string task)
    {
        if (!TaskSet.WithLosses.Includes(task))
            yield break;
        var known = TrainingMethod.Of(task).Losses;
        var losses = values.Texts("loss_type")!;
        foreach (var loss in losses.Where(loss => !known.Contains(loss)))
            yield return At(values, "loss_type",
                $"{loss} is not a loss of {task}; expected {string.Join(", ", known)}.{NearestName.Hint(loss, known)}");
        if (losses.Count != 1 && !RecipeKeyTable.Find("loss_weights")!.Tasks.Includes(task))
            yield return At(values, "loss_type", $"has {losses.Count} losses; {task} takes one.");
        foreach (var key in new[] { "precompute_ref_log_probs", "reference_free" }
            .Where(key => values.Flag("sync_ref_model") && values.Flag(key)))
            yield return At(values, "sync_ref_model",
                $"excludes {key}: true; a reference that follows the policy is computed at every step.");
        if (values.Numbers("loss_weights") is { } weights && weights.Count != losses.Count)
            yield return At(values, "loss_weights",
                $"has {Quantity.Of(weights.Count, "entry", "entries")} for "
                    + $"{Quantity.Of(losses.Count, "loss", "losses")}; it must have one for each.");
        var smoothed = PreferenceLossTable.Rows.FirstOrDefault(row => row.NeedsSmoothing && losses.Contains(row.Name)
            && known.Contains(row.Name));
        if (smoothed is not null && values.Number("label_smoothing") == 0)
            yield return At(values, "loss_type", $"{smoothed.Name} needs label_smoothing above 0, the probability that a label is wrong.");
    }

    internal static Problem At(RecipeValues values, string? key, string text) =>
        key is null ? (new YamlPosition(1, 1), text) : (values.Find(key)?.Position ?? new YamlPosition(1, 1), $"{key}: {text}");
}
