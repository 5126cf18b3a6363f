using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>What a kernel of the head writes down for each label.</summary>
internal sealed class LabelRecords(int labels)
{
    internal float[] Logps { get; } = new float[labels];

    internal float[] IsCorrect { get; } = new float[labels];

    internal float[] MeanLogits { get; } = new float[labels];

    internal float[] Entropies { get; } = new float[labels];

    internal HeadStatistics ToStatistics() => new(Tensor.From(IsCorrect), Tensor.From(MeanLogits), Tensor.From(Entropies));
}
