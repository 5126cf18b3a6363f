using Handbook.Data.Mixtures;
using Handbook.Data.Packing;
using Handbook.Data.Preparation;
using Handbook.Data.Sources;
using Handbook.Training.Options;
using MixtureForm = Handbook.Training.Options.MixtureForm;

namespace Handbook.Training.Runs;

/// <summary>What a run's options mean for the preparation of its data.</summary>
public static class DataBinding
{
    /// <summary>TRL's row length when neither recipe nor model gives one.</summary>
    private const int DefaultMaxLength = 1024;

    /// <summary>The most tokens of a row: the recipe's, else the model's limit, at most 1024.</summary>
    public static int MaxLength(RunOptions options, int modelLimit) =>
        options.Sequences.MaxLength ?? Math.Min(modelLimit, DefaultMaxLength);

    /// <summary>The preparation that the options ask for.</summary>
    /// <param name="options">The run.</param>
    /// <param name="maxLength">Tokens of a row.</param>
    public static PreparationOptions Of(RunOptions options, int maxLength) => new()
    {
        Form = (Handbook.Data.Preparation.MixtureForm)options.Data.Form,
        // An evaluation alone needs no training split: its own stands in.
        Sources = !options.Checkpoints.Train && options.Data.TestSource is { } only ? [Part(only, options.Data.Form)] : [.. options.Data.Sources.Select(source => Part(source, options.Data.Form))],
        Evaluation = options.Data.TestSource is { } test && (Evaluates(options.Evaluation) || !options.Checkpoints.Train) ? Part(test, options.Data.Form) : null,
        MixtureSeed = options.Data.MixtureSeed,
        Interleave = options.Data.Interleave is { } stop ? new InterleaveRule(Stopping(stop), options.Data.Probabilities) : null,
        TestSize = options.Data.TestSplitSize is { } size ? new SplitSize(size.Value, size.IsFraction) : null,
        Profile = (DataProfile)options.Profile,
        Files = new SourceOptions
        {
            TextUnit = options.Data.TextUnit ?? (options.Profile == Profile.Best ? TextUnit.Document : TextUnit.Line),
            Rename = options.Data.RenameColumns,
        },
        Cleaning = options.Data.Cleaning,
        TextColumn = options.Data.TextColumn,
        PreferText = options.Task == TrainingTask.Cpt,
        Packing = Packing(options, options.Sequences.Packing, maxLength),
        EvaluationPacking = Packing(options, options.Sequences.EvaluationPacking, maxLength),
        StreamedRows = options.Data.Streaming ? StreamedRows(options) : null,
        MaxTrainExamples = options.Data.MaxTrainSamples,
        MaxEvaluationExamples = options.Data.MaxEvalSamples,
        SkipBadRows = options.Data.OnBadRow == BadRowPolicy.Skip,
        Threads = options.Data.PreparationThreads ?? 0,
    };

    // A data set without the evaluation split is no mistake of a run that never evaluates.
    private static bool Evaluates(EvaluationOptions evaluation) =>
        evaluation.Strategy != IntervalStrategy.No || evaluation.AtEnd || evaluation.AtStart;

    /// <summary>Rows that the run will see: a stream has no end that steps could be counted from.</summary>
    private static long StreamedRows(RunOptions options) => options.Optimization.MaxSteps is > 0 and var steps
        ? (long)steps * options.Optimization.PerDeviceBatchSize * options.Optimization.GradientAccumulation
        : throw new UserErrorException("dataset_streaming: needs max_steps, since a stream has no length that epochs could be counted by");

    private static StoppingStrategy Stopping(string name) => name switch
    {
        "all_exhausted" => StoppingStrategy.AllExhausted,
        "all_exhausted_without_replacement" => StoppingStrategy.AllExhaustedWithoutReplacement,
        _ => StoppingStrategy.FirstExhausted,
    };

    private static DatasetPart Part(DatasetSource source, MixtureForm form) => new(
        new DatasetRequest(source.Name, source.Config, source.Split), form == MixtureForm.Single ? null : source.Weight, source.Columns);

    private static PackingOptions Packing(RunOptions options, Options.PackingStrategy strategy, int maxLength) => new()
    {
        MaxLength = maxLength,
        Strategy = strategy switch
        {
            Options.PackingStrategy.None => Handbook.Data.Packing.PackingStrategy.None,
            Options.PackingStrategy.BestFit or Options.PackingStrategy.BestFitSplit => Handbook.Data.Packing.PackingStrategy.BestFit,
            Options.PackingStrategy.FirstFit => Handbook.Data.Packing.PackingStrategy.BestFitBy1000,
            _ => options.Profile switch
            {
                Profile.V03 => Handbook.Data.Packing.PackingStrategy.Legacy,
                Profile.Trl019 => Handbook.Data.Packing.PackingStrategy.WrappedBy1000,
                _ => Handbook.Data.Packing.PackingStrategy.Wrapped,
            },
        },
        Overlong = (strategy, options.Sequences.Truncation) switch
        {
            (_, TruncationMode.Drop) => OverlongPolicy.Drop,
            (_, TruncationMode.Split) or (Options.PackingStrategy.BestFitSplit, _) => OverlongPolicy.Split,
            (_, TruncationMode.KeepEnd) => OverlongPolicy.KeepEnd,
            (_, TruncationMode.KeepStart) => OverlongPolicy.KeepStart,
            // Plain text has no end that matters more than another: what does not fit a row fills the next.
            _ when options.Task == TrainingTask.Cpt && options.Profile == Profile.Best => OverlongPolicy.Split,
            _ => OverlongPolicy.KeepStart,
        },
        // The original's streams let samples see each other; the best profile does not.
        Isolated = options.Profile == Profile.Best || strategy != Options.PackingStrategy.Wrapped,
        Seed = options.Seed,
    };
}
