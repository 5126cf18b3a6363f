namespace Handbook.Autograd;

/// <summary>What the head saw at each label, in the order of the labels.</summary>
/// <param name="Logps">Log-probability of the label.</param>
/// <param name="IsCorrect">True where the label has the largest logit.</param>
/// <param name="MeanLogits">Mean over the vocabulary of the logits it was predicted with.</param>
/// <param name="Entropies">Entropy of the distribution it was predicted with, in nats.</param>
public sealed record HeadStatistics(float[] Logps, bool[] IsCorrect, float[] MeanLogits, float[] Entropies)
{
    internal static HeadStatistics Of(int labels) => new(new float[labels], new bool[labels], new float[labels], new float[labels]);
}
