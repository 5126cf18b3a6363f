using Handbook.Autograd;
using Handbook.Models.Configuration;
using Handbook.Torch;

namespace Handbook.Models.Blocks;

/// <summary>
/// Cosines and sines of a model's rotary embedding. Tables for positions from 0 are made once and grow as longer sequences
/// come; a row of tokens picks its positions from them.
/// </summary>
public sealed class RotaryTables : IDisposable
{
    private readonly RotaryConfig config;
    private readonly Device device;
    private readonly Lazy<float[]> inverseFrequencies;
    private readonly double scale;
    private Tensor? cos;
    private Tensor? sin;

    /// <summary>Makes the tables of a configuration.</summary>
    public RotaryTables(RotaryConfig config, Device device = default)
    {
        this.config = config;
        this.device = device;
        // Not before they are asked for: a model whose weights do not fit its configuration is refused first.
        inverseFrequencies = new Lazy<float[]>(() => RotaryFrequencies.Inverse(config, 0));
        scale = RotaryFrequencies.Scale(config);
    }

    /// <summary>True when the angles of a position depend on how long its sequence is.</summary>
    public bool DependOnLength => config.Scaling is RotaryScaling.Dynamic;

    /// <summary>Cosines and sines [tokens, width / 2] for the tokens of a row; they belong to the caller.</summary>
    public (Tensor Cos, Tensor Sin) For(SequenceLayout layout)
    {
        var positions = layout.Positions();
        return config.Scaling is RotaryScaling.Dynamic dynamic && positions.Max() >= dynamic.TrainedLength
            ? Stretched(layout, positions)
            : For(positions);
    }

    /// <summary>Cosines and sines [tokens, width / 2] at positions that no dynamic scaling stretches.</summary>
    public (Tensor Cos, Tensor Sin) For(int[] positions)
    {
        Grow(positions.Max() + 1);
        using var scope = new TensorScope();
        var index = Tensor.From(positions, device);
        return (TensorScope.Detach(cos!.IndexSelect(0, index)), TensorScope.Detach(sin!.IndexSelect(0, index)));
    }

    /// <summary>
    /// Cosines and sines [1, width / 2] of one position in a sequence of a given length: with dynamic scaling they depend on it.
    /// </summary>
    public (Tensor Cos, Tensor Sin) At(int position, int length)
    {
        if (config.Scaling is not RotaryScaling.Dynamic dynamic || length <= dynamic.TrainedLength)
            return For([position]);
        using var scope = new TensorScope();
        var (rowCos, rowSin) = RotaryEmbedding.Tables([position], RotaryFrequencies.Inverse(config, length), scale, device);
        return (TensorScope.Detach(rowCos), TensorScope.Detach(rowSin));
    }

    /// <summary>Frees the tables.</summary>
    public void Dispose()
    {
        cos?.Dispose();
        sin?.Dispose();
        (cos, sin) = (null, null);
    }

    private void Grow(int length)
    {
        if (cos is not null && cos.Size(0) >= length)
            return;
        Dispose();
        var positions = new int[(length + 1023) / 1024 * 1024];
        for (var i = 0; i < positions.Length; i++)
            positions[i] = i;
        var (newCos, newSin) = RotaryEmbedding.Tables(positions, inverseFrequencies.Value, scale, device);
        (cos, sin) = (TensorScope.Detach(newCos), TensorScope.Detach(newSin));
    }

    // Each document by its own length, so that what it is packed with changes nothing.
    private (Tensor Cos, Tensor Sin) Stretched(SequenceLayout layout, int[] positions)
    {
        var lengths = DocumentLengths(layout);
        using var scope = new TensorScope();
        var cosines = new Tensor[layout.Segments.Length];
        var sines = new Tensor[layout.Segments.Length];
        for (var i = 0; i < cosines.Length; i++)
        {
            var segment = layout.Segments[i];
            var frequencies = RotaryFrequencies.Inverse(config, lengths[i]);
            (cosines[i], sines[i]) = RotaryEmbedding.Tables(positions.AsSpan(segment.Start, segment.Length), frequencies, scale, device);
        }
        return (
            TensorScope.Detach(Operator.Call("aten::cat"u8, default, cosines, 0L)),
            TensorScope.Detach(Operator.Call("aten::cat"u8, default, sines, 0L)));
    }

    // A prefix has the length of the longest document that continues it: all of them must see the same keys.
    private static int[] DocumentLengths(SequenceLayout layout)
    {
        var segments = layout.Segments;
        var longest = new int[segments.Length];
        for (var i = segments.Length - 1; i >= 0; i--)
        {
            longest[i] = Math.Max(longest[i], segments[i].FirstPosition + segments[i].Length);
            if (segments[i].Prefix is >= 0 and var prefix)
                longest[prefix] = Math.Max(longest[prefix], longest[i]);
        }
        for (var i = 0; i < segments.Length; i++)
        {
            if (segments[i].Prefix is >= 0 and var prefix)
                longest[i] = longest[prefix];
        }
        return longest;
    }
}
