using System.Globalization;
using Handbook.Models.Configuration;
using Handbook.Torch;

namespace Handbook.Models.Weights;

/// <summary>Whether a model that is to be made fits this machine, before a byte of it is asked for.</summary>
internal static class NewModelSize
{
    // What a weight costs beside its elements, measured: the tensor's record, the parameter, its name.
    private const double BytesOfRecord = 1024;
    private const int WeightsOfLayer = 9;

    /// <exception cref="UserErrorException">Its weights alone are more than the machine's memory.</exception>
    public static void Check(ModelConfig config, DType dtype, string origin)
    {
        var needed = ParameterCount(config) * dtype.Size() + config.Layers.Count * WeightsOfLayer * BytesOfRecord;
        double there = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        if (needed > there)
        {
            throw new UserErrorException(string.Create(CultureInfo.InvariantCulture,
                $"{origin}: a model of {ParameterCount(config):0.##E+0} weights takes {needed / 1e9:0.#} GB; this machine has "
                    + $"{there / 1e9:0.#} GB. See num_hidden_layers, hidden_size, intermediate_size, head_dim and vocab_size."));
        }
    }

    /// <summary>Number of weights, as a double: sizes from a file may multiply beyond any integer.</summary>
    private static double ParameterCount(ModelConfig config)
    {
        double width = config.HiddenSize;
        return width * config.VocabularySize * (config.Head.IsTied ? 1 : 2)
            + width * config.Layers.Sum(layer => RowsOf(layer.Attention) + RowsOf(layer.FeedForward));
    }

    private static double RowsOf(AttentionConfig attention) =>
        2.0 * attention.HeadDim * ((double)attention.HeadCount + attention.KeyValueHeadCount);

    private static double RowsOf(FeedForwardConfig block) => (block.IsGated ? 3.0 : 2.0) * block.Width * (block.Routing?.ExpertCount ?? 1);
}
