using Handbook.Models.Configuration;
using Handbook.Torch;

namespace Handbook.Models.Blocks;

/// <summary>The rotary tables of a model, one for each embedding that its layers use.</summary>
public sealed class RotarySet : IDisposable
{
    private readonly Dictionary<RotaryConfig, RotaryTables> tables;

    /// <summary>Makes the tables of a model's layers.</summary>
    public RotarySet(ModelConfig config, Device device) =>
        tables = config.Layers.Select(layer => layer.Attention.Rotary).OfType<RotaryConfig>().Distinct()
            .ToDictionary(rotary => rotary, rotary => new RotaryTables(rotary, device));

    /// <summary>The tables of one embedding.</summary>
    public RotaryTables this[RotaryConfig config] => tables[config];

    /// <summary>Frees the tables.</summary>
    public void Dispose()
    {
        foreach (var table in tables.Values)
            table.Dispose();
    }
}
