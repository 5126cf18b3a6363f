using Handbook.Models.Configuration;

namespace Handbook.Models;

/// <summary>
/// Useful floating-point operations of a training step (forward and backward, recomputation not counted), as model FLOPs
/// utilisation asks for them (arXiv:2204.02311, appendix B): 6 a weight and token, and attention's products between tokens
/// that see each other.
/// </summary>
public static class FlopCount
{
    /// <summary>Operations of a step over packed rows.</summary>
    /// <param name="config">The model.</param>
    /// <param name="parameterCount">Its weights, a tied matrix once.</param>
    /// <param name="layouts">The rows.</param>
    public static double TrainingStep(ModelConfig config, long parameterCount, params IEnumerable<SequenceLayout> layouts)
    {
        var weights = parameterCount - Idle(config);
        return layouts.Sum(layout => 6.0 * weights * layout.Length + config.Layers.Sum(layer =>
            12.0 * layer.Attention.HeadCount * layer.Attention.HeadDim * VisiblePairs(layout, layer.Attention.Window)));
    }

    /// <summary>Weights that a token does not meet: looking a vector up is no product, and experts that it did not choose rest.</summary>
    private static double Idle(ModelConfig config)
    {
        double embedding = (config.Head.IsTied ? 0L : (long)config.VocabularySize * config.HiddenSize)
            + (config.Embedding.HasPositions ? (long)config.MaxPositions * config.HiddenSize : 0L);
        return embedding + config.Layers.Sum(layer => layer.FeedForward.Routing is { } routing
            ? 3.0 * layer.FeedForward.Width * config.HiddenSize * (routing.ExpertCount - routing.ExpertsPerToken)
            : 0);
    }

    /// <summary>Pairs of a token and one it sees, itself included.</summary>
    /// <param name="layout">The row.</param>
    /// <param name="window">Tokens that one sees at most, itself included; null for all before it.</param>
    public static long VisiblePairs(SequenceLayout layout, int? window = null)
    {
        var pairs = 0L;
        foreach (var segment in layout.Segments)
        {
            // Tokens from the window's length on see just a window.
            var whole = Math.Max(0, segment.FirstPosition + segment.Length - Math.Max(segment.FirstPosition, window ?? int.MaxValue));
            var growing = segment.Length - (long)whole;
            pairs += growing * segment.FirstPosition + growing * (growing + 1) / 2 + whole * (long)(window ?? 0);
        }
        return pairs;
    }
}
