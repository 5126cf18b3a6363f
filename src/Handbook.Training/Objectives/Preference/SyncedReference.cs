using Handbook.Autograd;
using Handbook.Data.Packing;
using Handbook.Torch;

namespace Handbook.Training.Objectives.Preference;

/// <summary>
/// A reference that follows the policy: every so many steps it becomes <c>alpha x policy + (1 - alpha) x reference</c> (TR-DPO,
/// arXiv:2404.09656).
/// </summary>
/// <param name="frozen">The reference model as objectives see it.</param>
/// <param name="reference">Its weights; they are memory of their own.</param>
/// <param name="policy">The weights in training, in the same order.</param>
/// <param name="alpha">Share of the policy in each move.</param>
/// <param name="steps">Optimizer steps between moves.</param>
public sealed class SyncedReference(
    IPolicy frozen, IReadOnlyList<Parameter> reference, IReadOnlyList<Parameter> policy, double alpha, int steps) : IReferenceLogps
{
    private readonly LiveReference live = new(frozen);

    /// <inheritdoc/>
    public Tensor TokenLogps(TokenBatch batch) => live.TokenLogps(batch);

    /// <inheritdoc/>
    public void Stepped(int done)
    {
        if (done % steps != 0)
            return;
        foreach (var (mine, other) in reference.Zip(policy))
        {
            using var scope = new TensorScope();
            var mixed = mine.Value.To(DType.Float32).Multiply(1 - alpha).Add(other.Value.To(DType.Float32).Multiply(alpha));
            mine.Value.CopyFrom(mixed);
        }
    }

    /// <inheritdoc/>
    public IEnumerable<(string Name, Tensor Tensor)> State() =>
        reference.Select(parameter => ("reference." + parameter.Name, parameter.Value));

    /// <inheritdoc/>
    public void Load(Func<string, Tensor?> find)
    {
        foreach (var (name, tensor) in State())
        {
            using var scope = new TensorScope();
            var saved = find(name)
                ?? throw new UserErrorException($"the checkpoint has no {name}; it was saved by a run without sync_ref_model.");
            tensor.CopyFrom(saved);
        }
    }
}
