using System.Globalization;
using Handbook.Models.Configuration;
using Handbook.Torch;

namespace Handbook.Training.Planning;

/// <summary>
/// A model cut down to a few of its layers, from which the whole one is inferred: layers of one kind cost the same, so one or two of
/// each are enough.
/// </summary>
internal sealed class ProbeShape
{
    private const int FewestLayers = 2;
    private const int MostOfKind = 6;
    private readonly string layerPrefix;
    private readonly double[] multiplicities;

    private ProbeShape(ModelConfig config, string layers, IReadOnlyList<(LayerConfig Layer, double Multiplicity)> chosen)
    {
        layerPrefix = layers + ".";
        Config = config with { Layers = [.. chosen.Select(one => one.Layer)] };
        multiplicities = [.. chosen.Select(one => one.Multiplicity)];
    }

    /// <summary>Chooses layers.</summary>
    /// <param name="config">The whole model.</param>
    /// <param name="layers">What its checkpoint calls the list of layers.</param>
    internal static ProbeShape Cut(ModelConfig config, string layers)
    {
        var kinds = config.Layers.GroupBy(layer => layer).ToList();
        var rarest = kinds.Min(kind => kind.Count());
        var chosen = new List<(LayerConfig Layer, double Multiplicity)>();
        foreach (var kind in kinds)
        {
            // What the first layer of a model adds is not yet what others add: there is a second of its kind.
            var least = chosen.Count == 0 ? Math.Min(FewestLayers, kind.Count()) : 1;
            var count = Math.Clamp(kinds.Count == 1 ? least : (int)Math.Round((double)kind.Count() / rarest), least, MostOfKind);
            chosen.AddRange(Enumerable.Repeat((kind.Key, (double)kind.Count() / count), count));
        }
        return new ProbeShape(config, layers, chosen);
    }

    /// <summary>All layers: what is inferred is then what was seen.</summary>
    internal static ProbeShape Uncut(ModelConfig config, string layers) =>
        new(config, layers, [.. config.Layers.Select(layer => (layer, 1.0))]);

    /// <summary>The cut-down model.</summary>
    internal ModelConfig Config { get; }

    /// <summary>How many times as many layers the whole model has.</summary>
    internal double LayerRatio => multiplicities.Average();

    /// <summary>Bytes of the whole model's tensors, from those of the cut-down one by name.</summary>
    internal long Whole(IEnumerable<(string Name, long Bytes)> tensors) =>
        (long)tensors.Sum(tensor => tensor.Bytes * (LayerOf(tensor.Name) is { } layer ? multiplicities[layer] : 1));

    /// <summary>Bytes of the whole model's tensors, by how they are held.</summary>
    internal HostBytes WholeHeld(IEnumerable<(string Name, long Bytes)> tensors) => tensors.Aggregate(default(HostBytes), (sum, tensor) =>
        sum + HostBytes.Of(tensor.Bytes) * (LayerOf(tensor.Name) is { } layer ? multiplicities[layer] : 1));

    /// <summary>What all layers of the whole model add, from what each of the cut-down one adds.</summary>
    /// <param name="increments">One a layer; a layer of a kind counts as the last of the kind does, which follows others.</param>
    internal HostBytes Added(IReadOnlyList<HostBytes> increments) => Enumerable.Range(0, multiplicities.Length).Aggregate(
        default(HostBytes), (sum, i) => sum + increments[LastOfKind(i)] * multiplicities[i] - increments[i]);

    /// <summary>The layer that a tensor belongs to; null for one outside the layers.</summary>
    internal int? LayerOf(string name)
    {
        var start = name.IndexOf(layerPrefix, StringComparison.Ordinal);
        if (start < 0)
            return null;
        var digits = name.AsSpan(start + layerPrefix.Length);
        return int.TryParse(digits[..Math.Max(0, digits.IndexOf('.'))], NumberStyles.None, CultureInfo.InvariantCulture, out var layer)
            && layer < multiplicities.Length ? layer : null;
    }

    private int LastOfKind(int layer)
    {
        for (var i = Config.Layers.Count - 1; i > layer; i--)
        {
            if (Config.Layers[i].Equals(Config.Layers[layer]))
                return i;
        }
        return layer;
    }
}
