using Handbook.Training.Objectives;

namespace Handbook.Training.Loop;

/// <summary>What one optimizer step did.</summary>
/// <param name="Loss">The step's loss, normalised over the whole accumulated batch.</param>
/// <param name="GradientNorm">Global L2 norm before clipping.</param>
/// <param name="LearningRate">The rate that was used.</param>
/// <param name="TokenCount">Tokens computed.</param>
/// <param name="Metrics">What the objective reports.</param>
/// <param name="LossScale">What the next step's loss is multiplied by; null where losses are not scaled.</param>
public sealed record StepOutcome(
    double Loss, double GradientNorm, double LearningRate, long TokenCount, MetricSums Metrics, double? LossScale)
{
    /// <summary>True when a gradient was beyond float16, and nothing moved.</summary>
    public bool IsSkipped => !double.IsFinite(GradientNorm);

    /// <summary>The whole step, from what every rank did; its metrics are a step's from now on.</summary>
    internal StepOutcome SumOver(World world)
    {
        Metrics.EndStep().SumOver(world);
        double[] sums = [Loss, TokenCount];
        world.Sum(sums);
        return this with { Loss = sums[0], TokenCount = (long)sums[1] };
    }
}
