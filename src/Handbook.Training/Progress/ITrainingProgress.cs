namespace Handbook.Training.Progress;

/// <summary>Who watches a run. The loop tells what happens; a terminal, a test or nobody shows it.</summary>
public interface ITrainingProgress
{
    /// <summary>A stretch of work begins, after which steps or lesser progress follow.</summary>
    /// <param name="title">What it is: <c>sft</c>, <c>evaluation</c>, <c>preparing data</c>.</param>
    /// <param name="facts">What a person wants to see once: parameters, tokens, batch.</param>
    void Begin(string title, IReadOnlyList<(string Name, string Value)> facts);

    /// <summary>An optimizer step is done.</summary>
    void Step(StepProgress step);

    /// <summary>Part of some other work is done: an evaluation's batches, a preparation's rows.</summary>
    /// <param name="title">What it is.</param>
    /// <param name="done">Parts done.</param>
    /// <param name="total">Parts in all.</param>
    void Advance(string title, long done, long total);

    /// <summary>A remark worth a line of its own: an evaluation's result, a checkpoint saved, a checkpoint skipped and why.</summary>
    void Note(string text);

    /// <summary>The stretch of work is over.</summary>
    void End();
}

/// <summary>What is known after an optimizer step.</summary>
public sealed record StepProgress
{
    /// <summary>Optimizer steps done, from 1.</summary>
    public required int Step { get; init; }

    /// <summary>Optimizer steps of the run.</summary>
    public required int TotalSteps { get; init; }

    /// <summary>Epochs done, with fraction.</summary>
    public required double Epoch { get; init; }

    /// <summary>The step's loss, or the mean since the last logged step.</summary>
    public required double Loss { get; init; }

    /// <summary>Gradient norm before clipping; null where it is not computed.</summary>
    public double? GradientNorm { get; init; }

    /// <summary>The step's learning rate.</summary>
    public required double LearningRate { get; init; }

    /// <summary>Tokens of the run a second, smoothed.</summary>
    public required double TokensPerSecond { get; init; }

    /// <summary>Time that the remaining steps take at this speed.</summary>
    public required TimeSpan Remaining { get; init; }

    /// <summary>What the method itself watches, in a word each: reward accuracy and margin of pairs.</summary>
    public IReadOnlyList<(string Name, double Value)> Watched { get; init; } = [];

    /// <summary>True at steps whose metrics are logged: where no one watches live, only these are shown.</summary>
    public required bool IsLogged { get; init; }
}

/// <summary>Shows nothing.</summary>
public sealed class SilentProgress : ITrainingProgress
{
    /// <inheritdoc/>
    public void Begin(string title, IReadOnlyList<(string Name, string Value)> facts) { }

    /// <inheritdoc/>
    public void Step(StepProgress step) { }

    /// <inheritdoc/>
    public void Advance(string title, long done, long total) { }

    /// <inheritdoc/>
    public void Note(string text) { }

    /// <inheritdoc/>
    public void End() { }
}
