using Handbook.Data.Mixtures;
using Handbook.Data.Packing;
using Handbook.Data.Preparation;
using Handbook.Data.Sources;
using Handbook.Training.Options;

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
        Form = options.Data.Form,
        // An evaluation alone needs no training split: its own stands in.
        Sources = !options.Checkpoints.Train && options.Data.TestSource is { } only
            ? [Part(only, options.Data.Form)] : [.. options.Data.Sources.Select(source => Part(source, options.Data.Form))],
        Evaluation = options.Data.TestSource is { } test && (Evaluates(options.Evaluation) || !options.Checkpoints.Train)
            ? Part(test, options.Data.Form) : null,
        MixtureSeed = options.Data.MixtureSeed,
        Interleave = options.Data.Interleave is { } stop ? new InterleaveRule(stop, options.Data.Probabilities) : null,
        TestSize = options.Data.TestSplitSize is { } size ? new SplitSize(size.Value, size.IsFraction) : null,
        Profile = options.Profile,
        Files = new SourceOptions
        {
            TextUnit = options.Data.TextUnit ?? (options.Profile == Profile.Best ? TextUnit.Document : TextUnit.Line),
            Rename = options.Data.RenameColumns,
        },
        Cleaning = options.Data.Cleaning,
        TextColumn = options.Data.TextColumn,
        PreferText = TrainingMethod.Of(options.Task).IsPlainText,
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

    private static DatasetPart Part(DatasetSource source, MixtureForm form) => new(
        new DatasetRequest(source.Name, source.Config, source.Split), form == MixtureForm.Single ? null : source.Weight, source.Columns);

    private static PackingOptions Packing(RunOptions options, PackingStrategy strategy, int maxLength) => new()
    {
        MaxLength = maxLength,
        // The split itself is a matter of examples too long for a row.
        Strategy = strategy == PackingStrategy.BestFitSplit ? PackingStrategy.BestFit : strategy,
        Overlong = (strategy, options.Sequences.Truncation) switch
        {
            (_, TruncationMode.Drop) => OverlongPolicy.Drop,
            (_, TruncationMode.Split) or (PackingStrategy.BestFitSplit, _) => OverlongPolicy.Split,
            (_, TruncationMode.KeepEnd) => OverlongPolicy.KeepEnd,
            (_, TruncationMode.KeepStart) => OverlongPolicy.KeepStart,
            // Plain text has no end that matters more than another: what does not fit a row fills the next.
            _ when TrainingMethod.Of(options.Task).IsPlainText && options.Profile == Profile.Best => OverlongPolicy.Split,
            _ => OverlongPolicy.KeepStart,
        },
        // The original's streams let samples see each other; the best profile does not.
        Isolated = strategy is not (PackingStrategy.WrappedBy1000 or PackingStrategy.Legacy),
        Seed = options.Seed,
    };
}
