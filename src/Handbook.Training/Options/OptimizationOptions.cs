namespace Handbook.Training.Options;

/// <summary>Optimizers by the names recipes use.</summary>
public enum OptimizerKind
{
    /// <summary>AdamW (arXiv:1711.05101).</summary>
    AdamW,

    /// <summary>RMSprop, alpha 0.99, no momentum.</summary>
    RmsProp,

    /// <summary>Plain gradient descent.</summary>
    Sgd,

    /// <summary>Lion (arXiv:2302.06675).</summary>
    Lion,

    /// <summary>Adafactor (arXiv:1804.04235).</summary>
    Adafactor,

    /// <summary>Muon for hidden matrices, AdamW for the rest.</summary>
    Muon,
}

/// <summary>What an optimizer keeps its running averages in.</summary>
public enum OptimizerStates
{
    /// <summary>float32.</summary>
    Float32,

    /// <summary>Codes of 8 bits with a scale for every 256, as bitsandbytes (arXiv:2110.02861).</summary>
    Blocks8Bit,
}

/// <summary>What the length of Muon's steps depends on, by the names of <c>torch.optim.Muon</c>.</summary>
public enum MuonAdjustment
{
    /// <summary>0.2 √max(rows, columns): learning rate and decay are AdamW's.</summary>
    MatchRmsAdamW,

    /// <summary>√max(1, rows / columns): Keller Jordan's.</summary>
    Original,
}

/// <summary>How the learning rate moves over the run.</summary>
public enum ScheduleKind
{
    /// <summary>Warm-up, then a straight line to 0.</summary>
    Linear,

    /// <summary>Warm-up, then half a cosine to 0.</summary>
    Cosine,

    /// <summary>Cosine with a floor.</summary>
    CosineWithMinLr,

    /// <summary>Cosine, several times over.</summary>
    CosineWithRestarts,

    /// <summary>Warm-up, then a polynomial down to <c>lr_end</c>.</summary>
    Polynomial,

    /// <summary>Always the same.</summary>
    Constant,

    /// <summary>Warm-up, then always the same.</summary>
    ConstantWithWarmup,

    /// <summary>Warm-up, then one over the square root of the step.</summary>
    InverseSqrt,

    /// <summary>Warm-up, a plateau, then down.</summary>
    WarmupStableDecay,
}

/// <summary>What the loss of one optimizer step is an average over.</summary>
public enum LossNormalization
{
    /// <summary>All label tokens of the accumulated batch.</summary>
    Tokens,

    /// <summary>The mean of micro-batch means, as transformers before 4.46.</summary>
    MicroBatches,
}

/// <summary>Shape parameters of a schedule; null takes the kind's own default.</summary>
public sealed record ScheduleOptions
{
    /// <summary>Which curve.</summary>
    public ScheduleKind Kind { get; init; } = ScheduleKind.Linear;

    /// <summary>Steps of warm-up; null computes them from <see cref="WarmupRatio"/>.</summary>
    public int? WarmupSteps { get; init; }

    /// <summary>Warm-up as a share of all steps, rounded up.</summary>
    public double WarmupRatio { get; init; }

    /// <summary>The floor as a share of the peak (cosine_with_min_lr, warmup_stable_decay's <c>min_lr_ratio</c>).</summary>
    public double? MinLearningRateRatio { get; init; }

    /// <summary>The floor itself (<c>min_lr</c>).</summary>
    public double? MinLearningRate { get; init; }

    /// <summary>Cycles of the cosine.</summary>
    public double? Cycles { get; init; }

    /// <summary>Exponent of the polynomial.</summary>
    public double? Power { get; init; }

    /// <summary>Where the polynomial ends.</summary>
    public double? EndLearningRate { get; init; }

    /// <summary>Steps of the plateau (warmup_stable_decay); null: what the other phases leave.</summary>
    public int? StableSteps { get; init; }

    /// <summary>Steps of the way down (warmup_stable_decay).</summary>
    public int? DecaySteps { get; init; }

    /// <summary>Form of warm-up (warmup_stable_decay): linear, cosine or 1-sqrt.</summary>
    public string WarmupType { get; init; } = "linear";

    /// <summary>Form of the way down (warmup_stable_decay): linear, cosine or 1-sqrt.</summary>
    public string DecayType { get; init; } = "cosine";
}

/// <summary>How the weights move.</summary>
public sealed record OptimizationOptions
{
    /// <summary>The peak learning rate.</summary>
    public required double LearningRate { get; init; }

    /// <summary>Its course.</summary>
    public ScheduleOptions Schedule { get; init; } = new();

    /// <summary>Which optimizer.</summary>
    public OptimizerKind Optimizer { get; init; } = OptimizerKind.AdamW;

    /// <summary>What its running averages are kept in.</summary>
    public OptimizerStates States { get; init; } = OptimizerStates.Float32;

    /// <summary>How long Muon's steps are.</summary>
    public MuonAdjustment MuonAdjustment { get; init; } = MuonAdjustment.MatchRmsAdamW;

    /// <summary>Decay of the first moment.</summary>
    public double AdamBeta1 { get; init; } = 0.9;

    /// <summary>Decay of the second moment.</summary>
    public double AdamBeta2 { get; init; } = 0.999;

    /// <summary>Added to the second moment's root.</summary>
    public double AdamEpsilon { get; init; } = 1e-8;

    /// <summary>Decoupled decay; biases and norm weights are spared.</summary>
    public double WeightDecay { get; init; }

    /// <summary>Global gradient norm above which gradients are scaled down; 0 never does.</summary>
    public double MaxGradNorm { get; init; } = 1.0;

    /// <summary>Passes over the data, fractions allowed; ignored when <see cref="MaxSteps"/> is positive.</summary>
    public double Epochs { get; init; } = 3;

    /// <summary>Optimizer steps; null counts <see cref="Epochs"/>.</summary>
    public int? MaxSteps { get; init; }

    /// <summary>Rows a micro-batch.</summary>
    public int PerDeviceBatchSize { get; init; } = 8;

    /// <summary>Micro-batches an optimizer step.</summary>
    public int GradientAccumulation { get; init; } = 1;

    /// <summary>What the loss is an average over.</summary>
    public LossNormalization Normalization { get; init; } = LossNormalization.Tokens;
}
