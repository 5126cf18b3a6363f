namespace Handbook.Training.Planning;

/// <summary>What holds memory during a step.</summary>
public enum MemoryOwner
{
    /// <summary>The model's weights, an adapter's among them.</summary>
    Weights,

    /// <summary>A frozen reference model's weights.</summary>
    Reference,

    /// <summary>Master copies and running averages.</summary>
    Optimizer,

    /// <summary>Gradients.</summary>
    Gradients,

    /// <summary>What the forward pass keeps for the backward pass.</summary>
    Activations,

    /// <summary>The head with its loss, and what operations need while they run.</summary>
    Temporaries,

    /// <summary>The program itself, libtorch, tokenizer and data.</summary>
    Program,
}

/// <summary>What a training run will need of the machine, as far as can be known before it runs.</summary>
/// <param name="Memory">Bytes by owner at the step's peak; owners of nothing are left out.</param>
/// <param name="IsWhole">False when a step of even a part of the model is too large to be tried here: weights and states alone are known.</param>
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

    /// <summary>Tokens a second.</summary>
    public double? TokenRate => StepSeconds is { } seconds ? Load.Mean.Tokens * Load.MicroBatches / seconds : null;

    /// <summary>Seconds of all steps; null when nobody knows.</summary>
    public double? RunSeconds => StepSeconds * Load.Steps;
}
