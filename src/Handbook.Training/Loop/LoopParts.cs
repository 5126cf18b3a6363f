using Handbook.Training.Artefacts;
using Handbook.Training.Schedules;

namespace Handbook.Training.Loop;

/// <summary>The parts that a run is made of; which ones is decided before, and the loop asks no further.</summary>
public sealed record LoopParts
{
    /// <summary>One optimizer step.</summary>
    public required TrainingStep Step { get; init; }

    /// <summary>Training rows.</summary>
    public required TrainingRows Rows { get; init; }

    /// <summary>Their order.</summary>
    public required BatchSchedule Batches { get; init; }

    /// <summary>The learning rate of every step.</summary>
    public required LearningRateSchedule LearningRate { get; init; }

    /// <summary>Optimizer steps of the whole run.</summary>
    public required int TotalSteps { get; init; }

    /// <summary>Floating-point operations of a training token.</summary>
    public required double FlopsPerToken { get; init; }

    /// <summary>Held-out measurement; null when nothing is held out.</summary>
    public Evaluator? Evaluator { get; init; }

    /// <summary>Where metrics go.</summary>
    public required RunLog Log { get; init; }

    /// <summary>Saves everything that a later process needs to go on from the given state.</summary>
    public required Action<TrainerState> Save { get; init; }

    /// <summary>Where time comes from.</summary>
    public required TimeProvider Clock { get; init; }
}
