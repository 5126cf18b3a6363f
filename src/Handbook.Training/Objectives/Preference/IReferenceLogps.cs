using Handbook.Autograd;
using Handbook.Data.Packing;
using Handbook.Torch;

namespace Handbook.Training.Objectives.Preference;

/// <summary>
/// The frozen model's log-probabilities of the label tokens of a batch: computed live, looked up in a store, or zeros. All
/// give the same numbers.
/// </summary>
public interface IReferenceLogps
{
    /// <summary>One a label, [labels], in the order of <see cref="BatchLabels"/>; belongs to the caller's scope.</summary>
    Tensor TokenLogps(TokenBatch batch);

    /// <summary>Hears that the policy has moved: <paramref name="done"/> optimizer steps are done now.</summary>
    void Stepped(int done)
    {
    }

    /// <summary>What moves as training goes, by name, for checkpoints; the tensors are the live ones.</summary>
    IEnumerable<(string Name, Tensor Tensor)> State() => [];

    /// <summary>Copies a saved state back.</summary>
    /// <param name="find">Gives the tensor saved under a name, or null.</param>
    /// <exception cref="UserErrorException">A tensor is missing or has another shape.</exception>
    void Load(Func<string, Tensor?> find)
    {
    }
}

/// <summary>No reference (<c>reference_free</c>, ORPO, SimPO): every log-probability is 0.</summary>
public sealed class NoReference : IReferenceLogps
{
    /// <inheritdoc/>
    public Tensor TokenLogps(TokenBatch batch) => Tensor.Zeros([batch.LossTokenCount], DType.Float32);
}

/// <summary>A frozen model beside the policy.</summary>
public sealed class LiveReference(IPolicy frozen) : IReferenceLogps
{
    /// <inheritdoc/>
    public Tensor TokenLogps(TokenBatch batch)
    {
        using var scope = new TensorScope();
        using var tape = new Tape(isRecording: false);
        var states = frozen.Forward(tape, batch);
        var labels = BatchLabels.Of(batch);
        return scope.Keep(states.Head.Logps(tape, states.Hidden, labels.Rows, labels.Labels).Logps.Value);
    }
}
