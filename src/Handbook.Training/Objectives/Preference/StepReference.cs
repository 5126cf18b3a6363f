using Handbook.Data.Packing;
using Handbook.Torch;

namespace Handbook.Training.Objectives.Preference;

/// <summary>
/// A reference that is asked once for each batch of a step, however often the step looks at it: losses over the whole batch measure
/// every micro-batch before they differentiate the first.
/// </summary>
/// <param name="inner">What is asked.</param>
/// <param name="kept">What keeps the log-probabilities.</param>
internal sealed class StepReference(IReferenceLogps inner, StepTensors kept) : IReferenceLogps
{
    private readonly Dictionary<TokenBatch, Tensor> known = [];

    /// <inheritdoc/>
    public Tensor TokenLogps(TokenBatch batch)
    {
        if (!known.TryGetValue(batch, out var logps))
            known[batch] = logps = kept.Keep(inner.TokenLogps(batch));
        return logps;
    }
}
