using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>
/// NEFTune (Jain et al. 2023, arXiv:2310.05914): uniform noise in (-1, 1) times alpha / sqrt(L · d) on the embeddings, L the
/// number of tokens of the document and d the width.
/// </summary>
public static class NeftuneNoise
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

    private static Tensor Noisy(Tensor x, SequenceLayout layout, double alpha, RandomStream random)
    {
        using var scope = new TensorScope();
        var magnitudes = new float[layout.Length];
        foreach (var segment in layout.Segments)
            magnitudes.AsSpan(segment.Start, segment.Length)
                .Fill((float)(alpha / Math.Sqrt((double)(segment.FirstPosition + segment.Length) * x.Size(-1))));
        var uniform = random.Uniform(random.Take(x.ElementCount), x.Shape, x.Device);
        var noise = uniform.Multiply(2).Add(-1).Multiply(Tensor.From<float>(magnitudes, [layout.Length, 1], x.Device));
        return scope.Keep(x.Add(noise.To(x.DType)));
    }
}
