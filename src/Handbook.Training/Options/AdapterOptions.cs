using Handbook.Models.Adapters;

namespace Handbook.Training.Options;

/// <summary>Low-rank adapters (arXiv:2106.09685).</summary>
public sealed record LoraOptions
{
    /// <summary>Width of the low-rank pair.</summary>
    public int Rank { get; init; } = 16;

    /// <summary>Scale times rank: the update is multiplied by alpha / rank.</summary>
    public double Alpha { get; init; } = 32;

    /// <summary>Dropout on the adapter's input.</summary>
    public double Dropout { get; init; } = 0.05;

    /// <summary>Names, suffixes, one regular expression, or <c>all-linear</c>; null: the architecture's default.</summary>
    public IReadOnlyList<string>? TargetModules { get; init; }

    /// <summary>Names or ends of names of parameters that are no module's weight, such as experts that are one tensor.</summary>
    public IReadOnlyList<string> TargetParameters { get; init; } = [];

    /// <summary>Modules trained and saved whole.</summary>
    public IReadOnlyList<string> ModulesToSave { get; init; } = [];

    /// <summary>Scale by alpha / sqrt(rank) (arXiv:2312.03732).</summary>
    public bool UseRsLora { get; init; }

    /// <summary>Weight-decomposed adapters (arXiv:2402.09353).</summary>
    public bool UseDora { get; init; }

    /// <summary>A pair around a matrix that is embedding and head is in both uses.</summary>
    public bool EnsureWeightTying { get; init; }

    /// <summary>Another rank for modules whose name ends in a pattern; the first that fits counts.</summary>
    public IReadOnlyList<KeyValuePair<string, double>> RankPattern { get; init; } = [];

    /// <summary>Another alpha likewise.</summary>
    public IReadOnlyList<KeyValuePair<string, double>> AlphaPattern { get; init; } = [];

    /// <summary>How a new adapter begins.</summary>
    public LoraInitialization Initialization { get; init; }

    /// <summary>The folder of an adapter that is trained on; null begins a new one.</summary>
    public string? AdapterNameOrPath { get; init; }

    /// <summary>PEFT's task type, as written into <c>adapter_config.json</c>.</summary>
    public string TaskType { get; init; } = "CAUSAL_LM";
}

/// <summary>Frozen weights in few bits.</summary>
public sealed record QuantizationOptions
{
    /// <summary>4 or 8.</summary>
    public required int Bits { get; init; }

    /// <summary>Codes of 4-bit weights: <c>nf4</c> or <c>fp4</c>.</summary>
    public string QuantType { get; init; } = "nf4";

    /// <summary>Quantise the blocks' scales too.</summary>
    public bool DoubleQuantization { get; init; }
}
