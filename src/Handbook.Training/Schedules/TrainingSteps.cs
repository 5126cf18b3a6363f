namespace Handbook.Training.Schedules;

/// <summary>How many optimizer steps a run takes, and how many of them warm up.</summary>
public static class TrainingSteps
{
    /// <summary>
    /// Optimizer steps of a pass over the data. A last, shorter accumulation counts as a step, as in transformers since 4.49.
    /// </summary>
    /// <param name="microBatches">Micro-batches of one rank in an epoch, counted after packing.</param>
    /// <param name="gradientAccumulationSteps">Micro-batches to an optimizer step.</param>
    public static int PerEpoch(int microBatches, int gradientAccumulationSteps) =>
        Math.Max(1, (microBatches + gradientAccumulationSteps - 1) / gradientAccumulationSteps);

    /// <summary>Steps of the whole run: <paramref name="maxSteps"/> when positive, else the epochs' steps rounded up.</summary>
    public static int Total(int stepsPerEpoch, double epochs, int maxSteps) =>
        maxSteps > 0 ? maxSteps : (int)Math.Ceiling(epochs * stepsPerEpoch);

    /// <summary>Warm-up steps: <paramref name="warmupSteps"/> when positive, else the ratio of the total rounded up.</summary>
    public static int Warmup(int totalSteps, double warmupRatio, int warmupSteps) =>
        warmupSteps > 0 ? warmupSteps : (int)Math.Ceiling(totalSteps * warmupRatio);
}
