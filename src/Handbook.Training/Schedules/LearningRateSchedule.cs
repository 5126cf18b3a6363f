using Handbook.Training.Options;

namespace Handbook.Training.Schedules;

/// <summary>The learning rate of every optimizer step of a run: a pure function of the step.</summary>
public sealed class LearningRateSchedule
{
    private readonly Func<int, double> factor;

    private LearningRateSchedule(double baseLearningRate, int warmupSteps, Func<int, double> factor)
    {
        BaseLearningRate = baseLearningRate;
        WarmupSteps = warmupSteps;
        this.factor = factor;
    }

    /// <summary>The recipe's <c>learning_rate</c>.</summary>
    public double BaseLearningRate { get; }

    /// <summary>Optimizer steps that warm up.</summary>
    public int WarmupSteps { get; }

    /// <summary>Builds the schedule of a run.</summary>
    /// <param name="options">Kind, warm-up and shape.</param>
    /// <param name="baseLearningRate">Peak learning rate.</param>
    /// <param name="totalSteps">Optimizer steps of the whole run (<see cref="TrainingSteps.Total"/>).</param>
    /// <exception cref="UserErrorException">A shape parameter that the kind needs is missing, or two contradict each other.</exception>
    public static LearningRateSchedule Create(ScheduleOptions options, double baseLearningRate, int totalSteps)
    {
        var warmup = TrainingSteps.Warmup(totalSteps, options.WarmupRatio, options.WarmupSteps ?? 0);
        // Shapes are shares of the peak, a floor divided by it among them: a peak of 0 has none, and stays 0.
        if (baseLearningRate == 0)
            return new LearningRateSchedule(0, warmup, static _ => 0);
        var span = new ScheduleSpan(options, baseLearningRate, warmup, totalSteps);
        return new LearningRateSchedule(baseLearningRate, warmup, ScheduleTable.Entry(options.Kind).Build(span));
    }

    /// <summary>The learning rate that the optimizer step with this 0-based number uses.</summary>
    public double At(int step) => BaseLearningRate * factor(step);
}
