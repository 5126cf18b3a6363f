using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>
/// Where contributions to one weight's gradient arrive. It knows how many uses of the weight a tape has recorded, and tells when the last
/// of them has contributed: in backward order, while the rest of the pass still runs.
/// </summary>
internal abstract class GradientSink
{
    private int outstanding;

    /// <summary>
    /// Raised in the backward pass when every recorded use of the weight has contributed: a later micro-batch may bring more, which
    /// whoever listens knows.
    /// </summary>
    internal event Action? Completed;

    /// <summary>A float32 sum that a contribution may be added to on the spot; null when a tensor is to be handed over instead.</summary>
    internal virtual Tensor? Sum => null;

    /// <summary>True when more contributions are to come than the next one, or some have come: float32 ones are then welcome.</summary>
    internal virtual bool Gathers => false;

    /// <summary>Adds a contribution and takes it over.</summary>
    internal abstract void Add(Tensor contribution);

    /// <summary>Adds a float32 contribution that belongs to nobody else, and takes it over.</summary>
    internal virtual void AddSum(Tensor contribution) => Add(contribution);

    /// <summary>A tape has recorded a use.</summary>
    internal void Expect() => outstanding++;

    /// <summary>A recorded use has contributed what it had.</summary>
    internal void Arrive()
    {
        if (--outstanding == 0)
            Completed?.Invoke();
    }

    /// <summary>A recorded use will never contribute, or another one stands in for it.</summary>
    internal void Withdraw() => outstanding--;
}
