using Handbook.Models;
using Handbook.Models.Adapters;
using Handbook.Training.Options;

namespace Handbook.Training.Runs;

/// <summary>The adapter that a run trains, around a model that stays as it is.</summary>
internal static class RunAdapter
{
    /// <summary>The key that asks for one.</summary>
    internal const string Origin = "use_peft";

    /// <summary>PEFT names a classifier's head so; it is new, and so always trained whole.</summary>
    private const string ScoreModule = "score";

    /// <summary>Puts it around the model: a new one, or the one that the recipe goes on with.</summary>
    /// <exception cref="UserErrorException">The recipe names what the model does not have, or an adapter of another model.</exception>
    public static Adapter Attach(IPretrainedModel model, RunOptions options, LoraOptions lora, TrainingMethod method)
    {
        if (options.Model.NameOrPath is not { } path)
            throw new UserErrorException("use_peft: a new model (model_config) has nothing to adapt; train it whole, or name a trained "
                + "one.");
        return lora.AdapterNameOrPath is { } folder ? GoOnWith(folder, model, path) : New(model, options, lora, method, path);
    }

    /// <summary>The settings of the adapter that a recipe asks for.</summary>
    internal static LoraConfig Config(LoraOptions lora, RunOptions options, TrainingMethod method, string modelType) => new()
    {
        Rank = lora.Rank,
        Alpha = lora.Alpha,
        Dropout = lora.Dropout,
        TargetModules = lora.TargetModules is { } words
            ? ModulePattern.OfWords(words, "lora_target_modules") : LoraConfig.DefaultTargets(modelType),
        TargetParameters = lora.TargetParameters,
        ModulesToSave = [.. lora.ModulesToSave.Union(method.IsClassifier ? [ScoreModule] : [])],
        RankPattern = lora.RankPattern,
        AlphaPattern = lora.AlphaPattern,
        UseRsLora = lora.UseRsLora,
        UseDora = lora.UseDora,
        EnsureWeightTying = lora.EnsureWeightTying,
        Initialization = lora.Initialization,
        TaskType = lora.TaskType,
        BaseModel = options.Model.NameOrPath ?? "",
    };

    private static Adapter New(IPretrainedModel model, RunOptions options, LoraOptions lora, TrainingMethod method, string path)
    {
        var adapter = Adapter.Create(model, Config(lora, options, method, model.Config.ModelType), (ulong)(uint)options.Seed, Origin);
        adapter.Lineage = AdapterChain.LineageOf(path) with { Quantization = model.Config.Quantization };
        return adapter;
    }

    private static Adapter GoOnWith(string folder, IPretrainedModel model, string path)
    {
        if (!AdapterFolder.Is(folder))
            throw new UserErrorException($"adapter_name_or_path: {folder} holds no {AdapterFolder.ConfigFileName}; a folder with an "
                + "adapter is expected.");
        var stored = new AdapterFolder(folder);
        var lineage = AdapterChain.LineageOf(path);
        AdapterChain.CheckParents(stored, lineage);
        var adapter = Adapter.Load(model, stored, isTrained: true);
        adapter.Lineage = lineage with { Quantization = model.Config.Quantization };
        return adapter;
    }
}
