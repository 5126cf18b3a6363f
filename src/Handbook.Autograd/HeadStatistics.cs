using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>What the head saw at each label, in the order of the labels: float32 [labels] each (float64 beside float64 data), where the
/// head computes.</summary>
/// <param name="IsCorrect">1 where the label has the largest logit, else 0.</param>
/// <param name="MeanLogits">Mean over the vocabulary of the logits it was predicted with.</param>
/// <param name="Entropies">Entropy of the distribution it was predicted with, in nats.</param>
public sealed record HeadStatistics(Tensor IsCorrect, Tensor MeanLogits, Tensor Entropies)
{
    /// <summary>The same, handed to the scope around <paramref name="scope"/>.</summary>
    internal HeadStatistics KeptBy(TensorScope scope) => new(scope.Keep(IsCorrect), scope.Keep(MeanLogits), scope.Keep(Entropies));
}
