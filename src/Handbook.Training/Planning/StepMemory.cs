using Handbook.Torch;

namespace Handbook.Training.Planning;

/// <summary>What a training step of a cut-down model held, inferred for the whole one.</summary>
/// <param name="Waiting">Gradients of the micro-batches before the last.</param>
/// <param name="Activations">Kept by the forward pass for the backward pass.</param>
/// <param name="Early">What came on top while most activations were held: the head, its gradients, the work of a layer.</param>
/// <param name="Gradients">Gradients of all weights at the end of the backward pass.</param>
/// <param name="Late">What came on top of the gradients at the end: the lowest layer, the update.</param>
internal sealed record StepMemory(HostBytes Waiting, HostBytes Activations, HostBytes Early, HostBytes Gradients, HostBytes Late)
{
    /// <summary>
    /// Bytes by owner at the peak. The heap keeps what it grew to: it and what is mapped each come to their own peak, early in the backward
    /// pass or at its end.
    /// </summary>
    internal IEnumerable<(MemoryOwner Owner, double Bytes)> AtPeak => AtPeakOf(bytes => bytes.Heap).Concat(AtPeakOf(bytes => bytes.Mapped));

    private IEnumerable<(MemoryOwner Owner, double Bytes)> AtPeakOf(Func<HostBytes, double> kind) =>
        kind(Waiting + Activations + Early) >= kind(Gradients + Late)
            ? [(MemoryOwner.Gradients, kind(Waiting)), (MemoryOwner.Activations, kind(Activations)), (MemoryOwner.Temporaries, kind(Early))]
            : [(MemoryOwner.Gradients, kind(Gradients)), (MemoryOwner.Temporaries, kind(Late))];
}
