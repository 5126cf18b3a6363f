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
        // Looking a vector up is no product: an embedding counts only when it is the head as well.
        var weights = parameterCount - (config.TieEmbeddings ? 0L : (long)config.VocabularySize * config.HiddenSize);
        var attention = config.Attention;
        var pairCost = 12.0 * config.LayerCount * attention.HeadCount * attention.HeadDim;
        return layouts.Sum(layout => 6.0 * weights * layout.Length + pairCost * VisiblePairs(layout));
    }

    /// <summary>Pairs of a token and one it sees, itself included.</summary>
    public static long VisiblePairs(SequenceLayout layout)
    {
        var pairs = 0L;
        foreach (var segment in layout.Segments)
            pairs += (long)segment.Length * segment.FirstPosition + (long)segment.Length * (segment.Length + 1) / 2;
        return pairs;
    }
}
