namespace Handbook.Training.Planning;

/// <summary>What a training run will need of the machine, as far as can be known before it runs.</summary>
/// <param name="Memory">Bytes by owner at the step's peak; owners of nothing are left out.</param>
/// <param name="IsWhole">
/// False when a step of even a part of the model is too large to be tried here: weights and states alone are known.
/// </param>
/// <param name="StepSeconds">Seconds of an average step; null when it could not be tried.</param>
/// <param name="Load">What the steps compute.</param>
/// <param name="Limit">Bytes that there are.</param>
public sealed record StepPlan(
    IReadOnlyList<(MemoryOwner Owner, long Bytes)> Memory, bool IsWhole, double? StepSeconds, StepLoad Load, long Limit)
{
    /// <summary>Most bytes of the process at once.</summary>
    public long Peak => Memory.Sum(part => part.Bytes);

    /// <summary>True when that is more than there is.</summary>
    public bool IsTooLarge => Peak > Limit;

    /// <summary>Bytes of one owner.</summary>
    public long Of(MemoryOwner owner) => Memory.Where(part => part.Owner == owner).Sum(part => part.Bytes);

    /// <summary>The plan in a process that holds so much besides.</summary>
    public StepPlan Beside(long program) => this with { Memory = [.. Memory, (MemoryOwner.Program, program)] };

    /// <summary>
    /// The plan of each of several devices that hold weights, gradients and optimizer in shares (ZeRO stage 3, arXiv:1910.02054), the layer
    /// at work and the next one whole. What they tell each other takes time that is not counted.
    /// </summary>
    /// <param name="devices">How many.</param>
    /// <param name="layers">Layers of the model.</param>
    public StepPlan Over(int devices, int layers)
    {
        if (devices == 1)
            return this;
        var whole = Of(MemoryOwner.Weights) + Of(MemoryOwner.Reference);
        return this with
        {
            Memory = [.. Memory.Select(part => part.Owner switch
            {
                MemoryOwner.Weights => (part.Owner, part.Bytes / devices + whole * Math.Min(2, layers) / layers),
                MemoryOwner.Reference or MemoryOwner.Optimizer or MemoryOwner.Gradients => (part.Owner, part.Bytes / devices),
                _ => part,
            })],
        };
    }

    /// <summary>Tokens a second.</summary>
    public double? TokenRate => StepSeconds is { } seconds ? Load.Mean.Tokens * Load.MicroBatches / seconds : null;

    /// <summary>Seconds of all steps; null when nobody knows.</summary>
    public double? RunSeconds => StepSeconds * Load.Steps;
}
