namespace Handbook.Torch;

/// <summary>
/// The places at which the program waits for a device: whoever needs a tensor's elements on the host reads them at one of these, and
/// <c>docs/architecture.md</c> says how often each comes. A read anywhere else fails on <see cref="DeviceKind.Meta"/>.
/// </summary>
public enum DeviceWait
{
    /// <summary>A micro-batch's loss, with its metrics.</summary>
    Loss,

    /// <summary>The norm of a step's gradients.</summary>
    GradientNorm,

    /// <summary>How many rows each expert of a layer got.</summary>
    Experts,

    /// <summary>A frozen model's log-probabilities, on their way to a store.</summary>
    ReferenceLogps,

    /// <summary>The logits of the next tokens, or a reward model's scores.</summary>
    Predictions,

    /// <summary>Weights on their way to a file, or as they came from one.</summary>
    Weights,
}

/// <summary>Counts the waits of this thread for as long as it lives.</summary>
public sealed class DeviceWaitCount : IDisposable
{
    [ThreadStatic]
    private static DeviceWaitCount? current;

    private readonly Dictionary<DeviceWait, int> counts = [];
    private readonly DeviceWaitCount? outer;

    /// <summary>Begins to count.</summary>
    public DeviceWaitCount() => (outer, current) = (current, this);

    /// <summary>Waits so far by place; places without one are left out.</summary>
    public IReadOnlyDictionary<DeviceWait, int> Counts => counts;

    /// <inheritdoc/>
    public void Dispose() => current = outer;

    internal static void Add(DeviceWait place)
    {
        if (current is { } count)
            count.counts[place] = count.counts.GetValueOrDefault(place) + 1;
    }
}
