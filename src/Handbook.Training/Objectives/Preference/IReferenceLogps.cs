using Handbook.Autograd;
using Handbook.Data.Packing;
using Handbook.Torch;

namespace Handbook.Training.Objectives.Preference;

/// <summary>
/// The frozen model's log-probabilities of the label tokens of a batch: computed live, looked up in a store, or zeros. All
/// give the same numbers.
/// </summary>
public interface IReferenceLogps : ISavedState
{
    /// <summary>One a label, [labels], in the order of <see cref="BatchLabels"/>; belongs to the caller's scope.</summary>
    Tensor TokenLogps(TokenBatch batch);

    /// <summary>Hears that the policy has moved: <paramref name="done"/> optimizer steps are done now.</summary>
    void Stepped(int done)
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
        return scope.Keep(states.Head.TokenLogps(tape, states.Hidden, labels.Rows, labels.Labels).Logps.Value);
    }
}
