using Handbook.Training.Loop;
using Handbook.Training.Options;

namespace Handbook.Training.Runs;

/// <summary>Which rows of a run's data stand in which micro-batch.</summary>
public static class RunBatches
{
    /// <summary>The schedule that the options ask for.</summary>
    /// <param name="options">The run.</param>
    /// <param name="rows">Its training rows.</param>
    /// <param name="world">All ranks; null for this one alone.</param>
    /// <exception cref="UserErrorException">There is no row, or none remains after dropping.</exception>
    public static BatchSchedule Of(RunOptions options, TrainingRows rows, World? world = null) => new(
        rows.Count, options.Optimization.PerDeviceBatchSize, options.Optimization.GradientAccumulation,
        options.Data.OrderSeed ?? options.Seed, !options.Data.DisableShuffle, options.Sequences.DropLastBatch,
        options.Sequences.GroupByLength ? rows.Lengths() : null, world);
}
