using Handbook.Autograd.Kernels;
using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>One mask of dropout as a function of numbers that were drawn once: it can be made again, and is never stored.</summary>
internal sealed class DropoutMask
{
    private readonly RandomStream random;
    private readonly ulong first;
    private readonly double probability;

    private DropoutMask(RandomStream random, ulong first, double probability) =>
        (this.random, this.first, this.probability) = (random, first, probability);

    /// <summary>What elements that are kept are multiplied with.</summary>
    internal float Factor => (float)(1 / (1 - probability));

    /// <summary>Takes one number an element; null when nothing is dropped, which takes none.</summary>
    internal static DropoutMask? Draw(RandomStream? random, Tensor values, double probability) =>
        random is null || probability == 0 ? null : new DropoutMask(random, random.Take(values.ElementCount), probability);

    /// <summary>The values times the mask: 0 with the probability, 1 / (1 - p) otherwise.</summary>
    internal Tensor Apply(Tensor values) => Dropout.Masked(values, random, first, probability);

    /// <summary>Marks some elements in their order: 1 for one that is kept, 0 for one that is dropped.</summary>
    internal unsafe void MarkKept(long begin, int count, byte* marks) =>
        random.MarkAtLeast(first + (ulong)begin, count, DropoutKernel.Bound(probability), marks);
}
