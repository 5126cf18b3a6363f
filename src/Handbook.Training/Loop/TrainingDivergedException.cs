using System.Globalization;

namespace Handbook.Training.Loop;

/// <summary>The loss or the gradient stopped being a number. Names the step and the examples that it happened at.</summary>
public sealed class TrainingDivergedException : Exception
{
    private const int NamedExamples = 16;

    /// <summary>Reports a non-finite quantity.</summary>
    /// <param name="what">Such as <c>loss</c> or <c>grad_norm</c>.</param>
    /// <param name="value">Its value.</param>
    /// <param name="step">1-based number of the optimizer step.</param>
    /// <param name="exampleIds">Examples that were being computed.</param>
    public TrainingDivergedException(string what, double value, int step, IReadOnlyList<long> exampleIds)
        : base(string.Create(CultureInfo.InvariantCulture,
            $"step {step}: {what} is {value}; examples {Names(exampleIds)}. Lower learning_rate, lengthen the warm-up, or look at these "
                + $"examples; the last checkpoint is untouched."))
    {
        Step = step;
        ExampleIds = exampleIds;
    }

    /// <summary>1-based number of the optimizer step.</summary>
    public int Step { get; }

    /// <summary>Examples that were being computed.</summary>
    public IReadOnlyList<long> ExampleIds { get; }

    private static string Names(IReadOnlyList<long> ids) =>
        string.Join(", ", ids.Take(NamedExamples)) + (ids.Count > NamedExamples ? $" and {ids.Count - NamedExamples} more" : "");
}
