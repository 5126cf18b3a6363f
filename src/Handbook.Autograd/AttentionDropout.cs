using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>
/// Which attention weights are dropped: a function of the tape's seed and of a weight's number, made anew in the backward pass. Numbers
/// are taken for a token and everything up to it in its document, so that what is packed beside it takes none of them.
/// </summary>
internal readonly struct AttentionDropout
{
    private readonly RandomStream? random;
    private readonly ulong first;
    private readonly double probability;

    private AttentionDropout(RandomStream random, ulong first, double probability)
    {
        this.random = random;
        this.first = first;
        this.probability = probability;
    }

    /// <summary>Reserves the numbers of a call; nothing is dropped at probability 0.</summary>
    internal static AttentionDropout Take(RandomStream random, double probability, Tensor query, SequenceLayout layout)
    {
        if (probability == 0)
            return default;
        var weights = 0L;
        foreach (var segment in layout.Segments)
            weights += (long)segment.Length * (segment.FirstPosition + segment.Length);
        return new AttentionDropout(random, random.Take(weights * query.Size(1)), probability);
    }

    /// <summary>0 or 1/(1 - p) for each weight [K, G*L, S] of a segment, null when nothing is dropped.
    /// Belongs to the current scope.</summary>
    /// <param name="weights">The weights.</param>
    /// <param name="layout">The row.</param>
    /// <param name="segment">The segment's number.</param>
    internal Tensor? Mask(Tensor weights, SequenceLayout layout, int segment)
    {
        if (random is not { } stream)
            return null;
        var start = first;
        var heads = (ulong)(weights.Size(0) * weights.Size(1) / layout.Segments[segment].Length);
        for (var i = 0; i < segment; i++)
            start += heads * (ulong)layout.Segments[i].Length * (ulong)(layout.Segments[i].FirstPosition + layout.Segments[i].Length);
        using var scope = new TensorScope();
        return scope.Keep(Dropout.Mask(stream.Uniform(start, weights.Shape, weights.Device), probability).To(weights.DType));
    }
}
