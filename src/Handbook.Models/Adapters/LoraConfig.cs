using Handbook.Models.Architectures;

namespace Handbook.Models.Adapters;

/// <summary>How A and B of a new adapter begin.</summary>
public enum LoraInitialization
{
    /// <summary>A uniform as Kaiming's rule with a = √5 has it, B zero: the model is the base's at first.</summary>
    Default,

    /// <summary>A normal with deviation 1 / rank, B zero.</summary>
    Gaussian,

    /// <summary>
    /// The principal singular vectors of the weight, whose rest is frozen (PiSSA; Meng et al. 2024, arXiv:2404.02948). The model is the
    /// base's at first.
    /// </summary>
    Pissa,

    /// <summary>A and B both random, for tests: the model is another one at first.</summary>
    Random,
}

/// <summary>Which biases of the base an adapter trains with it.</summary>
public enum LoraBias
{
    /// <summary>None.</summary>
    None,

    /// <summary>Those of the adapted layers.</summary>
    LoraOnly,

    /// <summary>All of the model.</summary>
    All,
}

/// <summary>A low-rank adapter's settings, as PEFT's <c>adapter_config.json</c> holds them.</summary>
public sealed record LoraConfig
{
    /// <summary>Width of the low-rank pair.</summary>
    public int Rank { get; init; } = 8;

    /// <summary>The update is multiplied by alpha / rank.</summary>
    public double Alpha { get; init; } = 8;

    /// <summary>Probability that an element of A's input is zero, in training.</summary>
    public double Dropout { get; init; }

    /// <summary>Names or ends of names of modules, <c>all-linear</c>, or one regular expression.</summary>
    public required ModulePattern TargetModules { get; init; }

    /// <summary>
    /// Names or ends of names of parameters that are no module's <c>weight</c>, such as experts that are one tensor.
    /// </summary>
    public IReadOnlyList<string> TargetParameters { get; init; } = [];

    /// <summary>Modules among the targets that are left out; null for none.</summary>
    public ModulePattern? ExcludeModules { get; init; }

    /// <summary>Ends of names of modules that are trained whole.</summary>
    public IReadOnlyList<string> ModulesToSave { get; init; } = [];

    /// <summary>The layers that are adapted; null for all.</summary>
    public IReadOnlyList<int>? LayersToTransform { get; init; }

    /// <summary>Name of the list of layers that <see cref="LayersToTransform"/> counts in; null for any.</summary>
    public IReadOnlyList<string>? LayersPattern { get; init; }

    /// <summary>Another rank for modules whose name ends in a pattern, in this order; the first that fits counts.</summary>
    public IReadOnlyList<KeyValuePair<string, double>> RankPattern { get; init; } = [];

    /// <summary>Another alpha likewise.</summary>
    public IReadOnlyList<KeyValuePair<string, double>> AlphaPattern { get; init; } = [];

    /// <summary>Scale by alpha / √rank (arXiv:2312.03732).</summary>
    public bool UseRsLora { get; init; }

    /// <summary>Train a length for each row too (arXiv:2402.09353).</summary>
    public bool UseDora { get; init; }

    /// <summary>A pair around a matrix that is embedding and head is in both uses; without it such a pair is refused.</summary>
    public bool EnsureWeightTying { get; init; }

    /// <summary>Biases that are trained.</summary>
    public LoraBias Bias { get; init; }

    /// <summary>Whether the base's layers stand [inputs, outputs] in files, as GPT-2's do.</summary>
    public bool FanInFanOut { get; init; }

    /// <summary>How a new adapter begins.</summary>
    public LoraInitialization Initialization { get; init; }

    /// <summary>PEFT's task type.</summary>
    public string TaskType { get; init; } = "CAUSAL_LM";

    /// <summary>What the adapter belongs to: a folder or a hub id.</summary>
    public string BaseModel { get; init; } = "";

    /// <summary>The version of PEFT that wrote it; null when it does not say.</summary>
    public string? PeftVersion { get; init; }

    /// <summary>PEFT's targets where none are given: query and value, or the matrix that holds them.</summary>
    public static ModulePattern DefaultTargets(string modelType)
    {
        var parts = ArchitectureTable.Rows[modelType].Names.QueryKeyValue;
        string[] chosen = parts.Count == 1 ? [parts[0]] : [parts[0], parts[2]];
        return ModulePattern.OfNames([.. chosen.Select(name => name[(name.LastIndexOf('.') + 1)..])]);
    }

    /// <summary>What the word in a recipe or a file stands for; null when it is not known.</summary>
    public static LoraInitialization? InitializationOf(string word) => word switch
    {
        "true" => LoraInitialization.Default,
        "false" => LoraInitialization.Random,
        "gaussian" => LoraInitialization.Gaussian,
        "pissa" => LoraInitialization.Pissa,
        // PEFT's quick approximation of the same vectors.
        _ when word.StartsWith("pissa_niter_", StringComparison.Ordinal) => LoraInitialization.Pissa,
        _ => null,
    };

    /// <summary>Rank of a module.</summary>
    public int RankOf(string module) => (int)(ModulePattern.Find(RankPattern, module) ?? Rank);

    /// <summary>What a module's delta is multiplied with.</summary>
    public double ScaleOf(string module)
    {
        var rank = RankOf(module);
        return (ModulePattern.Find(AlphaPattern, module) ?? Alpha) / (UseRsLora ? Math.Sqrt(rank) : rank);
    }
}
