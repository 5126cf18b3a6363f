using System.Globalization;
using Handbook.Training.Options;
using Handbook.Training.Runs;

namespace Handbook.Training.Planning;

/// <summary>A setting that trades memory for time, or time for memory.</summary>
/// <param name="Settings">What the recipe would say, key by key.</param>
/// <param name="Apply">The options under it; null where it changes nothing or does not go.</param>
public sealed record PlanChoice(Func<RunOptions, string> Settings, Func<RunOptions, RunOptions?> Apply)
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<PlanChoice> All { get; } =
    [
        new(options => $"gradient_checkpointing: {(options.Model.Recompute ? "false" : "true")}",
            options => options with { Model = options.Model with { Recompute = !options.Model.Recompute } }),
        new(options => Batch(options.Optimization.PerDeviceBatchSize / 2, options.Optimization.GradientAccumulation * 2),
            options => options.Optimization.PerDeviceBatchSize % 2 == 0
                ? WithBatch(options, options.Optimization.PerDeviceBatchSize / 2, options.Optimization.GradientAccumulation * 2) : null),
        new(options => Batch(options.Optimization.PerDeviceBatchSize * 2, options.Optimization.GradientAccumulation / 2),
            options => options.Optimization.GradientAccumulation % 2 == 0
                ? WithBatch(options, options.Optimization.PerDeviceBatchSize * 2, options.Optimization.GradientAccumulation / 2) : null),
        new(_ => "optim: adamw_bnb_8bit",
            options => options.Optimization is { Optimizer: OptimizerKind.AdamW, States: OptimizerStates.Float32 }
                ? options with { Optimization = options.Optimization with { States = OptimizerStates.Blocks8Bit } } : null),
        new(_ => "precompute_ref_log_probs: true",
            options => TrainingMethod.Of(options.Task).NeedsReference
                && options.Preference is { ReferenceFree: false, PrecomputeReference: false, SyncReference: false }
                ? options with { Preference = options.Preference with { PrecomputeReference = true } } : null),
        new(_ => "use_peft: true",
            options => options is { Lora: null, Model.Config: null }
                ? options with { Lora = new LoraOptions(), Preference = options.Preference with { SyncReference = false } } : null),
        new(options => options.Lora is null ? "use_peft: true, load_in_4bit: true" : "load_in_4bit: true",
            options => options is { Quantization: null, Model.Config: null } ? options with
            {
                Lora = options.Lora ?? new LoraOptions(),
                Quantization = new QuantizationOptions { Bits = 4 },
                Preference = options.Preference with { SyncReference = false },
            } : null),
    ];

    private static string Batch(int size, int accumulation) => string.Create(CultureInfo.InvariantCulture,
        $"per_device_train_batch_size: {size}, gradient_accumulation_steps: {accumulation}");

    private static RunOptions WithBatch(RunOptions options, int size, int accumulation) => options with
    {
        Optimization = options.Optimization with { PerDeviceBatchSize = size, GradientAccumulation = accumulation },
    };
}
