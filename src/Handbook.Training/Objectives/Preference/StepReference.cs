using Handbook.Data.Packing;

namespace Handbook.Training.Objectives.Preference;

/// <summary>
/// A reference that is asked once for each batch of a step, however often the step looks at it: losses over the whole batch measure
/// every micro-batch before they differentiate the first.
/// </summary>
/// <param name="inner">What is asked.</param>
internal sealed class StepReference(IReferenceLogps inner) : IReferenceLogps
{
    private readonly Dictionary<TokenBatch, double[]> known = [];

    /// <inheritdoc/>
    public double[] TokenLogps(TokenBatch batch)
    {
        if (!known.TryGetValue(batch, out var logps))
            known[batch] = logps = inner.TokenLogps(batch);
        return logps;
    }

    /// <summary>A new step begins.</summary>
    internal void Forget() => known.Clear();
}
