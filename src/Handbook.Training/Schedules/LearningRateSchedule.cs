using System.Text.Json.Nodes;

namespace Handbook.Training.Schedules;

/// <summary>The learning rate of every optimizer step of a run: a pure function of the step.</summary>
public sealed class LearningRateSchedule
{
    private readonly Func<int, double> factor;

    private LearningRateSchedule(string name, double baseLearningRate, Func<int, double> factor)
    {
        Name = name;
        BaseLearningRate = baseLearningRate;
        this.factor = factor;
    }

    /// <summary>The schedule's name in recipes (<c>lr_scheduler_type</c>).</summary>
    public string Name { get; }

    /// <summary>The recipe's <c>learning_rate</c>.</summary>
    public double BaseLearningRate { get; }

    /// <summary>Names that recipes may use, in the table's order.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. ScheduleTable.Entries.Keys];

    /// <summary>Builds the schedule of a run.</summary>
    /// <param name="name"><c>lr_scheduler_type</c>.</param>
    /// <param name="arguments"><c>lr_scheduler_kwargs</c>; null when absent.</param>
    /// <param name="baseLearningRate">Peak learning rate.</param>
    /// <param name="warmupSteps">Optimizer steps that warm up (<see cref="TrainingSteps.Warmup"/>).</param>
    /// <param name="totalSteps">Optimizer steps of the whole run.</param>
    /// <exception cref="UserErrorException">The name or an argument is unknown, missing or of the wrong type.</exception>
    public static LearningRateSchedule Create(
        string name, JsonObject? arguments, double baseLearningRate, int warmupSteps, int totalSteps)
    {
        if (!ScheduleTable.Entries.TryGetValue(name, out var entry))
        {
            throw new UserErrorException(
                $"lr_scheduler_type: {name} is not a schedule; there are {string.Join(", ", Names)}.{NearestName.Hint(name, Names)}");
        }
        var read = new ScheduleArguments(name, arguments);
        read.CheckNames(entry.Arguments);
        return new LearningRateSchedule(name, baseLearningRate, entry.Build(read, new ScheduleSpan(baseLearningRate, warmupSteps, totalSteps)));
    }

    /// <summary>The learning rate that the optimizer step with this 0-based number uses.</summary>
    public double At(int step) => BaseLearningRate * factor(step);
}
