using Handbook.Models.Architectures;
using Handbook.Models.Configuration;
using Handbook.Models.Safetensors;
using Handbook.Models.Weights;
using Handbook.Torch;

namespace Handbook.Models.Adapters;

/// <summary>A folder with an adapter, as PEFT writes it.</summary>
public sealed class AdapterFolder
{
    /// <summary>Name of the file with the tensors.</summary>
    public const string WeightsFile = "adapter_model.safetensors";

    /// <summary>Name of the file with the settings.</summary>
    public const string ConfigFileName = LoraConfigFile.Name;

    /// <summary>Opens a folder.</summary>
    /// <exception cref="UserErrorException">A file is missing or broken, or asks for what is not supported.</exception>
    public AdapterFolder(string path)
    {
        Path = path;
        Config = LoraConfigFile.Read(ConfigPath);
        Lineage = Adapters.Lineage.Read(path);
    }

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>The file with the settings.</summary>
    public string ConfigPath => System.IO.Path.Combine(Path, LoraConfigFile.Name);

    /// <summary>The file with the tensors.</summary>
    internal string WeightsPath => System.IO.Path.Combine(Path, WeightsFile);

    /// <summary>The settings.</summary>
    public LoraConfig Config { get; }

    /// <summary>The key that asks for more than low-rank pairs around a base as it is, and what for; null when none does.</summary>
    public string? BeyondPairs => LoraConfigFile.BeyondPairs(Config);

    /// <summary>What it was trained on; null when whoever wrote it did not say.</summary>
    public Lineage? Lineage { get; }

    /// <summary>How the tensors are called.</summary>
    public static WeightNames Names { get; } = new() { Base = "base_model.", Constants = [] };

    /// <summary>True for a folder that holds an adapter.</summary>
    public static bool Is(string path) => ConfigFile.IsThere(System.IO.Path.Combine(path, LoraConfigFile.Name));

    /// <summary>The folder of the model or adapter that it lies around.</summary>
    /// <exception cref="UserErrorException">It is not on this machine.</exception>
    public string FindBase()
    {
        if (Config.BaseModel.Length == 0)
            throw new UserErrorException($"{ConfigPath}: base_model_name_or_path is missing; the folder of the base model is expected.");
        // As it was said where training was started, seen from the adapter, or as its lineage has it.
        var recorded = Lineage?.Parents.TakeLast(1).Select(parent => parent.Path) ?? [];
        string[] places = [Config.BaseModel, System.IO.Path.Combine(Path, Config.BaseModel), .. recorded];
        return places.FirstOrDefault(Directory.Exists) ?? throw new UserErrorException(
            $"{ConfigPath}: base_model_name_or_path: {Config.BaseModel} is no folder on this machine; put the base model there, or name "
            + "where it lies.");
    }

    /// <summary>Rows of a module's weight that is stored whole; null when it is not.</summary>
    internal int? RowsOf(string module)
    {
        using var weights = OpenWeights();
        var name = AdapterTarget.Prefix + module + ".weight";
        return weights.Contains(name) && weights.Entry(name).Shape is [var rows, _] ? (int)Math.Min(rows, int.MaxValue) : null;
    }

    /// <summary>Opens the tensors.</summary>
    /// <exception cref="UserErrorException">The file is missing or broken.</exception>
    public SafetensorsFolder OpenWeights()
    {
        // A link that leads nowhere is said to be one.
        if (ConfigFile.IsThere(WeightsPath))
            OrdinaryFile.Open(WeightsPath).Dispose();
        return new(Path, WeightsFile);
    }

    /// <summary>
    /// Weights of the base that the file holds whole beside those that the settings name, as PEFT does with a grown vocabulary.
    /// </summary>
    internal IEnumerable<string> AlsoWhole(IPretrainedModel model, SafetensorsFolder weights) =>
        model.Slots.Where(slot => slot.Name.EndsWith(".weight", StringComparison.Ordinal)
            && weights.Contains(AdapterTarget.Prefix + slot.Name))
            .Select(AdapterTargets.ModuleOf).Where(module => !Config.ModulesToSave.Any(name => ModulePattern.EndsIn(module, name)));

    /// <summary>
    /// The two names of a tensor of a matrix that is embedding and head, and whether it stands transposed under the second; none for a
    /// model with two matrices.
    /// </summary>
    internal static IReadOnlyList<(string First, string Second, bool IsTurned)> TwoNames(IPretrainedModel model)
    {
        var embedding = AdapterTarget.Prefix + AdapterTargets.EmbeddingOf(model);
        var head = AdapterTarget.Prefix + AdapterTargets.HeadOf(model);
        return !AdapterTargets.IsTied(model) ? [] :
        [
            (embedding + ".weight", head + ".weight", false),
            (embedding + ".lora_embedding_B", head + ".lora_A.weight", true),
            (embedding + ".lora_embedding_A", head + ".lora_B.weight", true),
        ];
    }

    /// <summary>Tensors that the file holds under another name too.</summary>
    /// <exception cref="UserErrorException">It holds one of the two, or two that differ: the adapter belongs to a model that is not
    /// tied.</exception>
    internal IReadOnlySet<string> SecondNames(IPretrainedModel model, SafetensorsFolder weights)
    {
        var second = new HashSet<string>();
        foreach (var name in TwoNames(model))
        {
            if (weights.Contains(name.Second) ? weights.Contains(name.First) && AreEqual(weights, name)
                : Config.EnsureWeightTying || name.IsTurned || !weights.Contains(name.First))
                second.Add(name.Second);
            else
                throw new UserErrorException($"{WeightsPath}: trains the head apart from the embedding, which the base ties "
                    + "(tie_word_embeddings); untie them in the base first.");
        }
        return second;
    }

    private static bool AreEqual(SafetensorsFolder weights, (string First, string Second, bool IsTurned) name)
    {
        using var scope = new TensorScope();
        var (first, second) = (weights.Get(name.First), weights.Get(name.Second));
        if (first.DimensionCount != 2 || second.DimensionCount != 2)
            return false;
        var turned = name.IsTurned ? second.Transpose(0, 1) : second;
        return first.Shape.SequenceEqual(turned.Shape) && first.DType == turned.DType && first.MaxAbsDifference(turned) == 0;
    }

    /// <summary>Writes an adapter.</summary>
    internal static void Write(string folder, Adapter adapter, LoraConfig config, IEnumerable<NamedTensor> tensors)
    {
        Directory.CreateDirectory(folder);
        SafetensorsWriter.Write(System.IO.Path.Combine(folder, WeightsFile), tensors, new Dictionary<string, string> { ["format"] = "pt" });
        adapter.Lineage?.Write(folder);
        ConfigFile.Write(System.IO.Path.Combine(folder, LoraConfigFile.Name), LoraConfigFile.Write(config));
    }
}
