using System.Globalization;

namespace Handbook.Training.Schedules;

/// <summary>
/// A number of optimizer steps as recipes write it (<c>save_steps</c>, <c>eval_steps</c>, <c>logging_steps</c>): a whole
/// number of steps, or a fraction below 1 of the run's total.
/// </summary>
public readonly record struct StepInterval
{
    /// <summary>Takes the recipe's number.</summary>
    /// <param name="key">Recipe key, for the error.</param>
    /// <param name="value">A whole number of at least 1, or a fraction in (0, 1).</param>
    /// <exception cref="UserErrorException">The number is neither.</exception>
    public StepInterval(string key, double value)
    {
        if (!(value > 0) || (value >= 1 && value != Math.Floor(value)) || value > int.MaxValue)
        {
            throw new UserErrorException(string.Create(CultureInfo.InvariantCulture,
                $"{key}: {value} is neither a whole number of steps (1, 2, ...) nor a fraction of the run between 0 and 1."));
        }
        Value = value;
    }

    /// <summary>The number as written.</summary>
    public double Value { get; }

    /// <summary>Steps between two events in a run of <paramref name="totalSteps"/>; a fraction is rounded up, as transformers does.</summary>
    public int Resolve(int totalSteps) => Value < 1 ? Math.Max(1, (int)Math.Ceiling(totalSteps * Value)) : (int)Value;

    /// <summary>True when an event is due after <paramref name="step"/> steps.</summary>
    public bool IsDue(int step, int totalSteps) => step > 0 && step % Resolve(totalSteps) == 0;
}
