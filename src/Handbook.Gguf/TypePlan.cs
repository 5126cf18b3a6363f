using Handbook.Gguf.Architectures;
using Handbook.Gguf.Format;
using Handbook.Models.Configuration;

namespace Handbook.Gguf;

/// <summary>
/// Which type each tensor gets: that of the file, with more bits where llama.cpp's own mixtures have more (the head, values and
/// narrowing matrices of Q4_K), and another where the rows do not fit.
/// </summary>
internal sealed class TypePlan
{
    // Mixtral's number: llama.cpp gives the small matrices of such a model eight bits, which cost next to nothing there.
    private const int ManyExperts = 8;
    private readonly FileType type;
    private readonly int layers;
    private readonly int experts;
    private readonly bool isTied;

    public TypePlan(FileType type, ModelConfig config)
    {
        this.type = type;
        layers = config.Layers.Count;
        experts = config.Layers[0].FeedForward.Routing?.ExpertCount ?? 0;
        isTied = config.Head.IsTied;
    }

    /// <summary>The type of a tensor.</summary>
    /// <param name="place">Which tensor it is.</param>
    /// <param name="shape">Its shape.</param>
    public TensorType this[TensorPlace place, long[] shape]
    {
        get
        {
            // Vectors, routers and learned positions are small, and much hangs on them.
            if (shape.Length < 2 || place.IsBias || place.Role is TensorRole.Norm or TensorRole.Router or TensorRole.Positions)
                return TensorType.F32;
            return type.IsQuantized ? Fitting(Wanted(place, shape[^1]), shape[^1]) : type.Most;
        }
    }

    private TensorType Wanted(TensorPlace place, long columns)
    {
        if (place.Role == TensorRole.Head || isTied && place.Role == TensorRole.Embedding)
            return type.Most == TensorType.Q8 || columns % type.Most.BlockLength != 0 ? TensorType.Q8 : TensorType.Q6K;
        return place.Role switch
        {
            TensorRole.Key when experts == ManyExperts => TensorType.Q8,
            TensorRole.Value when experts == ManyExperts => TensorType.Q8,
            TensorRole.Value or TensorRole.QueryKeyValue or TensorRole.Down when type.Most == TensorType.Q4K && HasMoreBits(place.Layer) =>
                TensorType.Q6K,
            // llama.cpp has Q5_K here, which is not written.
            TensorRole.AttentionOutput when type.Most == TensorType.Q4K && experts == ManyExperts => TensorType.Q6K,
            _ => type.Most,
        };
    }

    /// <summary>The first and the last eighth of the layers, and every third between.</summary>
    private bool HasMoreBits(int layer) => layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2;

    /// <summary>What llama.cpp takes for rows that are no whole number of blocks: smaller blocks, else none.</summary>
    private static TensorType Fitting(TensorType wanted, long columns)
    {
        if (columns % wanted.BlockLength == 0)
            return wanted;
        var smaller = wanted == TensorType.Q4K ? TensorType.Q5 : TensorType.Q8;
        return columns % smaller.BlockLength == 0 ? smaller : TensorType.F16;
    }
}
