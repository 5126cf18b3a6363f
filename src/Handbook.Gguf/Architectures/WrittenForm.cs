using Handbook.Models.Architectures;
using Handbook.Models.Configuration;
using Handbook.Torch;

namespace Handbook.Gguf.Architectures;

/// <summary>How llama.cpp has a weight: its half, the order of its rows, its factor.</summary>
internal sealed class WrittenForm(GgufArchitecture row, ModelConfig config, WeightNames names)
{
    /// <summary>The tensor of a place. Rows alone are touched, so the widening half of a low-rank pair goes the same way.</summary>
    /// <param name="place">Where it goes.</param>
    /// <param name="weight">The weight as a folder has it.</param>
    public Tensor Of(TensorPlace place, Tensor weight)
    {
        if (place.Half is { } half)
            return HalfOf(weight, half);
        if (place.Role == TensorRole.Norm)
            return NormOf(place, config).IsOffset && !place.IsBias ? weight.To(DType.Float32).Add(1.0) : weight;
        if (place.Layer < 0)
            return weight;
        var attention = config.Layers[place.Layer].Attention;
        if (place.Role is TensorRole.QueryNorm or TensorRole.KeyNorm && attention.QueryKeyNorm is { Norm.IsOffset: true })
            weight = weight.To(DType.Float32).Add(1.0);
        var heads = place.Role switch { TensorRole.Query => attention.HeadCount, TensorRole.Key => attention.KeyValueHeadCount, _ => 0 };
        if (heads > 0 && row.TurnsNeighbours)
            weight = Interleaved(weight, heads);
        return Scaled(place, weight, attention, attention.Scale / row.Scale(config));
    }

    /// <summary>Gate or up of a weight that holds both, [experts, outputs, ...].</summary>
    private Tensor HalfOf(Tensor weight, int half)
    {
        var width = weight.Size(1) / 2;
        if (names.Experts is not { Alternate: true })
            return weight.Narrow(1, half * width, width).Contiguous();
        return weight.Reshape([weight.Size(0), width, 2, .. weight.Shape[2..]]).Select(2, half).Contiguous();
    }

    private static NormConfig NormOf(TensorPlace place, ModelConfig config)
    {
        if (place.Layer < 0)
            return config.FinalNorm;
        var norms = config.Layers[place.Layer].Norms;
        return norms.BeforeAttention ?? norms.AfterAttention!;
    }

    /// <summary>[heads x width, ...] with rows i and i + width / 2 of each head side by side.</summary>
    private static Tensor Interleaved(Tensor weight, int heads)
    {
        long[] rest = [.. weight.Shape[1..]];
        var half = weight.Size(0) / heads / 2;
        return weight.Reshape([heads, 2, half, .. rest]).Transpose(1, 2).Contiguous().Reshape(weight.Shape);
    }

    /// <summary>Queries times a factor, so that llama.cpp's own scale gives the model's scores.</summary>
    private static Tensor Scaled(TensorPlace place, Tensor weight, AttentionConfig attention, double factor)
    {
        var isQuery = attention.QueryKeyNorm is null ? place.Role is TensorRole.Query or TensorRole.QueryKeyValue
            : place.Role == TensorRole.QueryNorm;
        if (!isQuery || Math.Abs(factor - 1) < 1e-9)
            return weight;
        var scaled = weight.To(DType.Float32).Clone();
        scaled.Narrow(0, 0, place.Role == TensorRole.QueryNorm ? weight.Size(0) : attention.HeadCount * attention.HeadDim)
            .MultiplyInPlace(factor);
        return scaled;
    }
}
