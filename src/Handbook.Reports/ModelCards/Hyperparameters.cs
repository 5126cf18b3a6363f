using System.Globalization;
using Handbook.Data.Store;
using Handbook.Training.Artefacts;
using Handbook.Training.Options;
using Handbook.Training.Runs;
using Handbook.Training.Schedules;

namespace Handbook.Reports.ModelCards;

/// <summary>
/// The hyperparameters of a run as transformers' model cards list them: its names, its order, what is at its default left out.
/// </summary>
public static class Hyperparameters
{
    /// <summary>Names and values.</summary>
    /// <param name="options">The run.</param>
    /// <param name="worldSize">Devices that trained.</param>
    public static IReadOnlyList<(string Name, string Value)> Of(RunOptions options, int worldSize = 1)
    {
        var optimization = options.Optimization;
        var batch = optimization.PerDeviceBatchSize;
        var total = batch * optimization.GradientAccumulation * worldSize;
        var evaluationBatch = options.Evaluation.PerDeviceBatchSize;
        var list = new List<(string Name, string Value)>
        {
            ("learning_rate", PythonJson.Repr(optimization.LearningRate)),
            ("train_batch_size", Text(batch)),
            ("eval_batch_size", Text(evaluationBatch)),
            ("seed", Text(options.Seed)),
        };
        if (worldSize > 1)
        {
            list.Add(("distributed_type", "multi-device"));
            list.Add(("num_devices", Text(worldSize)));
        }
        if (optimization.GradientAccumulation > 1)
            list.Add(("gradient_accumulation_steps", Text(optimization.GradientAccumulation)));
        if (total != batch)
            list.Add(("total_train_batch_size", Text(total)));
        if (worldSize > 1)
            list.Add(("total_eval_batch_size", Text(evaluationBatch * worldSize)));
        list.Add(("optimizer", Optimizer(optimization)));
        if (optimization.WeightDecay != 0)
            list.Add(("weight_decay", PythonJson.Repr(optimization.WeightDecay)));
        list.AddRange(Schedule(optimization));
        if (options.Model.Precision is Precision.Bfloat16Mixed or Precision.Float16Mixed)
            list.Add(("mixed_precision_training",
                options.Model.Precision == Precision.Bfloat16Mixed ? "bf16, fp32 master weights" : "fp16, fp32 master weights"));
        list.AddRange(Adapter(options.Lora));
        list.AddRange(Preference(TrainingMethod.Of(options.Task), options.Preference));
        return list;
    }

    private static IEnumerable<(string, string)> Adapter(LoraOptions? lora)
    {
        if (lora is null)
            yield break;
        if (lora.AdapterNameOrPath is { } adapter)
        {
            yield return ("adapter", Path.GetFileName(adapter.TrimEnd('/')));
            yield break;
        }
        yield return ("lora_r", Text(lora.Rank));
        yield return ("lora_alpha", PythonJson.Repr(lora.Alpha));
        yield return ("lora_dropout", PythonJson.Repr(lora.Dropout));
        if (lora.TargetModules is { } targets)
            yield return ("lora_target_modules", string.Join(", ", targets));
        if (lora.TargetParameters.Count > 0)
            yield return ("lora_target_parameters", string.Join(", ", lora.TargetParameters));
        if (lora.UseRsLora)
            yield return ("use_rslora", "true");
        if (lora.UseDora)
            yield return ("use_dora", "true");
    }

    private static IEnumerable<(string, string)> Preference(TrainingMethod method, PreferenceOptions preference)
    {
        if (method.Data == StoreKind.Sequences)
            yield break;
        if (method.IsClassifier)
        {
            if (preference.CenterRewardsCoefficient is { } center)
                yield return ("center_rewards_coefficient", PythonJson.Repr(center));
            yield break;
        }
        yield return ("beta", PythonJson.Repr(preference.Beta));
        if (method.Losses.Count > 1)
            yield return ("loss_type", string.Join(", ", preference.LossTypes));
        if (preference.LossWeights is { } weights)
            yield return ("loss_weights", string.Join(", ", weights.Select(PythonJson.Repr)));
        foreach (var (name, value, usual) in new[]
        {
            ("label_smoothing", preference.LabelSmoothing, 0), ("rpo_alpha", preference.RpoAlpha ?? 0, 0),
            ("ld_alpha", preference.LdAlpha ?? 0, 0),
            ("desirable_weight", preference.DesirableWeight, 1), ("undesirable_weight", preference.UndesirableWeight, 1),
        })
        {
            if (value != usual)
                yield return (name, PythonJson.Repr(value));
        }
        foreach (var (name, value) in new[] { ("cpo_alpha", preference.CpoAlpha), ("simpo_gamma", preference.SimpoGamma) }
            .Where(key => method.Keys.Contains(key.Item1)))
            yield return (name, PythonJson.Repr(value));
        if (preference.FDivergence != "reverse_kl")
            yield return ("f_divergence_type", preference.FDivergence);
    }

    private static IEnumerable<(string, string)> Schedule(OptimizationOptions optimization)
    {
        yield return ("lr_scheduler_type", ScheduleTable.NameOf(optimization.Schedule.Kind));
        if (optimization.Schedule.WarmupSteps is > 0 and var steps)
            yield return ("lr_scheduler_warmup_steps", Text(steps));
        else if (optimization.Schedule.WarmupRatio != 0)
            yield return ("lr_scheduler_warmup_ratio", PythonJson.Repr(optimization.Schedule.WarmupRatio));
        yield return optimization.MaxSteps is { } maxSteps
            ? ("training_steps", Text(maxSteps))
            : ("num_epochs", PythonJson.Repr(optimization.Epochs));
    }

    private static string Optimizer(OptimizationOptions optimization)
    {
        var betas = $"betas=({PythonJson.Repr(optimization.AdamBeta1)},{PythonJson.Repr(optimization.AdamBeta2)})";
        return optimization.Optimizer.ToString() + (optimization.Optimizer switch
        {
            OptimizerKind.AdamW => $" with {betas} and epsilon={PythonJson.Repr(optimization.AdamEpsilon)}",
            OptimizerKind.Lion => $" with {betas}",
            OptimizerKind.Muon => $", AdamW beside it with {betas} and epsilon={PythonJson.Repr(optimization.AdamEpsilon)}",
            _ => "",
        }) + (optimization.States == OptimizerStates.Blocks8Bit ? ", states in 8 bit" : "");
    }

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
