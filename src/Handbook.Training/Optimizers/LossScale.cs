using Handbook.Torch;

namespace Handbook.Training.Optimizers;

/// <summary>
/// What a loss is multiplied by before its backward pass, so that gradients in float16 do not vanish: 1, or a number that is found while
/// training as <c>torch.amp.GradScaler</c> does (Micikevicius et al. 2018, arXiv:1710.03740): it starts at 2^16, is halved when a gradient
/// is not finite, whose step is left out, and doubled after 2,000 steps without one.
/// </summary>
public sealed class LossScale : ISavedState
{
    private const double Start = 65536;
    private const int GrowthInterval = 2000;

    /// <summary>Where halving ends: gradients that are not finite here are so of themselves.</summary>
    private const double Least = 1.0 / 65536;

    private readonly Tensor? scale;
    private readonly Tensor? tracker;

    private LossScale(bool isDynamic)
    {
        if (!isDynamic)
            return;
        scale = TensorScope.Detach(Tensor.Full([1], Start, DType.Float32));
        tracker = TensorScope.Detach(Tensor.Zeros([1], DType.Int64));
    }

    /// <summary>No scaling.</summary>
    public static LossScale One { get; } = new(isDynamic: false);

    /// <summary>True where it is found while training.</summary>
    public bool IsDynamic => scale is not null;

    /// <summary>The number, a power of two.</summary>
    public double Value => scale is null ? 1 : scale.Span<float>()[0];

    /// <summary>The number for logs; null where nothing is scaled.</summary>
    public double? Shown => IsDynamic ? Value : null;

    /// <summary>A number that is found while training.</summary>
    public static LossScale Dynamic() => new(isDynamic: true);

    /// <summary>What the backward pass of a loss begins with; null for ones.</summary>
    public Tensor? Of(Tensor loss) => scale is null ? null : Tensor.Full(loss.Shape, Value, loss.DType, loss.Device);

    /// <summary>Hears of a step's gradients, and changes the number for the next step.</summary>
    /// <param name="norm">Their global norm.</param>
    /// <returns>False when they are not finite and no smaller number would help: training has come to an end.</returns>
    public bool Follow(double norm)
    {
        if (scale is null || tracker is null)
            return double.IsFinite(norm);
        ref var steps = ref tracker.Span<long>()[0];
        ref var value = ref scale.Span<float>()[0];
        if (!double.IsFinite(norm))
        {
            (value, steps) = (value / 2, 0);
            return value >= Least;
        }
        if (++steps == GrowthInterval)
            (value, steps) = (float.IsFinite(value * 2) ? value * 2 : value, 0);
        return true;
    }

    /// <inheritdoc/>
    public IEnumerable<(string Name, Tensor Tensor)> State() =>
        scale is null || tracker is null ? [] : [("loss_scale", scale), ("loss_scale.growth_tracker", tracker)];
}
