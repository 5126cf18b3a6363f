namespace Handbook.Training.Options;

/// <summary>When something recurs.</summary>
public enum IntervalStrategy
{
    /// <summary>Never.</summary>
    No,

    /// <summary>Every so many steps.</summary>
    Steps,

    /// <summary>At the end of each epoch.</summary>
    Epoch,

    /// <summary>Whenever the watched metric is the best so far (saving only).</summary>
    Best,
}

/// <summary>A number of steps, or a share of all steps when below 1 (the original's <c>save_steps: 0.05</c>).</summary>
/// <param name="Value">At least 1: steps. In (0, 1): a share of the run's steps.</param>
public readonly record struct StepInterval(double Value)
{
    /// <summary>Steps between two events of a run of <paramref name="totalSteps"/>: a share is rounded up, as transformers does.</summary>
    public int Resolve(int totalSteps) => Value < 1 ? Math.Max(1, (int)Math.Ceiling(totalSteps * Value)) : (int)Value;

    /// <summary>True when an event is due after <paramref name="step"/> steps.</summary>
    public bool IsDue(int step, int totalSteps) => step > 0 && step % Resolve(totalSteps) == 0;
}

/// <summary>When and on what is evaluated.</summary>
public sealed record EvaluationOptions
{
    /// <summary>When.</summary>
    public IntervalStrategy Strategy { get; init; } = IntervalStrategy.No;

    /// <summary>How often under <see cref="IntervalStrategy.Steps"/>.</summary>
    public StepInterval Interval { get; init; } = new(500);

    /// <summary>Evaluate once more at the end.</summary>
    public bool AtEnd { get; init; }

    /// <summary>Evaluate before the first step.</summary>
    public bool AtStart { get; init; }

    /// <summary>Rows a micro-batch.</summary>
    public int PerDeviceBatchSize { get; init; } = 8;
}

/// <summary>Where and when is saved, and from where a run goes on.</summary>
public sealed record CheckpointOptions
{
    /// <summary>The folder of the run.</summary>
    public required string OutputDirectory { get; init; }

    /// <summary>Start anew although the folder holds checkpoints.</summary>
    public bool Overwrite { get; init; }

    /// <summary>Try a step of a part of the model first, say what the run will need, and refuse one that cannot fit.</summary>
    public bool CheckMemory { get; init; } = true;

    /// <summary>When.</summary>
    public IntervalStrategy Strategy { get; init; } = IntervalStrategy.Steps;

    /// <summary>How often under <see cref="IntervalStrategy.Steps"/>.</summary>
    public StepInterval Interval { get; init; } = new(500);

    /// <summary>How many checkpoints stay; null keeps all.</summary>
    public int? TotalLimit { get; init; }

    /// <summary>A checkpoint to go on from; null: the newest whole one of the folder, if any.</summary>
    public string? ResumeFrom { get; init; }

    /// <summary>Go on from the newest whole checkpoint, and fail when there is none.</summary>
    public bool MustResume { get; init; }

    /// <summary>The metric that decides which checkpoint is best; null: <c>loss</c>.</summary>
    public string? MetricForBest { get; init; }

    /// <summary>Whether more of that metric is better; null: unless its name ends in <c>loss</c>.</summary>
    public bool? GreaterIsBetter { get; init; }

    /// <summary>End with the best checkpoint's weights instead of the last ones.</summary>
    public bool LoadBestAtEnd { get; init; }

    /// <summary>Train; false only evaluates.</summary>
    public bool Train { get; init; } = true;
}

/// <summary>How much is said.</summary>
public enum LogLevel
{
    /// <summary>Everything.</summary>
    Debug,

    /// <summary>What a person wants to know.</summary>
    Info,

    /// <summary>What may be wrong.</summary>
    Warning,

    /// <summary>What is wrong.</summary>
    Error,
}

/// <summary>What is told, and to whom.</summary>
public sealed record LoggingOptions
{
    /// <summary>When metrics are reported.</summary>
    public IntervalStrategy Strategy { get; init; } = IntervalStrategy.Steps;

    /// <summary>How often under <see cref="IntervalStrategy.Steps"/>.</summary>
    public StepInterval Interval { get; init; } = new(10);

    /// <summary>Report the first step too.</summary>
    public bool FirstStep { get; init; } = true;

    /// <summary>How much is said.</summary>
    public LogLevel Level { get; init; } = LogLevel.Info;

    /// <summary>The sinks: <c>tensorboard</c>, <c>jsonl</c>, <c>csv</c>; empty for none.</summary>
    public IReadOnlyList<string> ReportTo { get; init; } = ["tensorboard"];

    /// <summary>The run's name; null takes the output folder's.</summary>
    public string? RunName { get; init; }

    /// <summary>Folder of the TensorBoard events; null: <c>runs/</c> in the output folder.</summary>
    public string? LoggingDirectory { get; init; }
}

/// <summary>Uploading.</summary>
public sealed record HubOptions
{
    /// <summary>Upload the result.</summary>
    public bool Push { get; init; }

    /// <summary>Repository; null: the output folder's name.</summary>
    public string? ModelId { get; init; }
}
