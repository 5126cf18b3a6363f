using Handbook.Autograd;
using Handbook.Data.Packing;
using Handbook.Torch;

namespace Handbook.Training.Objectives.Preference;

/// <summary>The reference of an adapter: the policy itself with the adapter held off, so that no second model is in memory.</summary>
/// <param name="policy">The model in training.</param>
/// <param name="adapter">Turns its adapter off.</param>
public sealed class UnadaptedReference(IPolicy policy, AdapterSwitch adapter) : IReferenceLogps
{
    private readonly LiveReference live = new(policy);

    /// <inheritdoc/>
    public Tensor TokenLogps(TokenBatch batch)
    {
        using (adapter.Off())
            return live.TokenLogps(batch);
    }
}
