using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>
/// NEFTune (Jain et al. 2023, arXiv:2310.05914): uniform noise in (-1, 1) times alpha / sqrt(L · d) on the embeddings, L the
/// number of tokens of the document and d the width.
/// </summary>
public static class EmbeddingNoise
{
    /// <summary>Adds the noise; the gradient passes unchanged.</summary>
    /// <param name="tape">Where to record, and whose random numbers are taken: one an element.</param>
    /// <param name="embeddings">[N, d].</param>
    /// <param name="layout">
    /// The documents of the row. A segment with a prefix counts the prefix's tokens too: it is the tail of one document.
    /// </param>
    /// <param name="alpha">Strength; 0 returns the input itself.</param>
    public static Variable Apply(Tape tape, Variable embeddings, SequenceLayout layout, double alpha)
    {
        if (alpha == 0)
            return embeddings;
        if (embeddings.Value.Size(0) != layout.Length)
            throw new ArgumentException($"{embeddings.Value} for a layout of {layout.Length} tokens.", nameof(embeddings));
        var value = Noisy(embeddings.Value, layout, alpha, tape.Random);
        return tape.Record(value, [embeddings], [], (gradient, _) => embeddings.Accumulate(gradient.Alias()));
    }

    private static unsafe Tensor Noisy(Tensor x, SequenceLayout layout, double alpha, RandomStream random)
    {
        using var scope = new TensorScope();
        var width = x.Size(-1);
        var noise = Tensor.Empty(x.Shape, DType.Float32);
        var target = (float*)noise.Pointer;
        var first = random.Take(x.ElementCount);
        foreach (var segment in layout.Segments)
        {
            var magnitude = (float)(alpha / Math.Sqrt((double)(segment.FirstPosition + segment.Length) * width));
            var start = segment.Start * width;
            ParallelWork.For(segment.Length * width, Kernels.FusedKernels.ElementwiseGrain, (begin, end) =>
            {
                for (var i = start + begin; i < start + end; i++)
                    target[i] = (2 * random.Uniform(first + (ulong)i) - 1) * magnitude;
            });
        }
        return scope.Keep(x.Add(noise.To(x.Device).To(x.DType)));
    }
}
