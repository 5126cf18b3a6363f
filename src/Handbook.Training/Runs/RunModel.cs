using Handbook.Models;
using Handbook.Models.Architectures;
using Handbook.Models.Configuration;
using Handbook.Text.Tokenizers;
using Handbook.Torch;
using Handbook.Training.Checkpoints;
using Handbook.Training.Optimizers;
using Handbook.Training.Options;

namespace Handbook.Training.Runs;

/// <summary>The model of a run and the optimizer that moves it.</summary>
public sealed class RunModel : IDisposable
{
    private readonly ModelOptions options;

    private RunModel(CausalLanguageModel model, ModelOptions options) => (Model, this.options) = (model, options);

    /// <summary>The model, in the numbers that the run computes in.</summary>
    public CausalLanguageModel Model { get; }

    /// <summary>Element type of the weights that the run ends with.</summary>
    public DType SavedDType => options.SavedDtype switch
    {
        SavedDtype.Float32 => DType.Float32,
        SavedDtype.Float16 => DType.Float16,
        SavedDtype.Bfloat16 => DType.BFloat16,
        _ => Model.StoredDType ?? (options.Precision == Precision.Float32 ? DType.Float32 : DType.BFloat16),
    };

    /// <summary>Loads the checkpoint that the options name, or makes a new model.</summary>
    /// <exception cref="UserErrorException">The folder is broken or not supported, or the tokenizer has ids that the model lacks.</exception>
    public static RunModel Open(RunOptions options, Tokenizer tokenizer)
    {
        var dtype = options.Model.Precision == Precision.Float32 ? DType.Float32 : DType.BFloat16;
        var model = options.Model.Config is { } config
            ? CausalLanguageModel.Create(WithVocabulary(config, tokenizer), (ulong)(uint)options.Seed, dtype, origin: "model_config")
            : CausalLanguageModel.Load(options.Model.NameOrPath!, dtype);
        try
        {
            if (tokenizer.VocabSize > model.Config.VocabularySize)
            {
                throw new UserErrorException(
                    $"{options.Model.NameOrPath ?? "model_config"}: the tokenizer has {tokenizer.VocabSize} tokens, the model's vocab_size is {model.Config.VocabularySize}; token ids beyond it have no embedding.");
            }
            // Weights of the wanted type lie in the mapped file; what is trained must be memory of our own.
            foreach (var parameter in model.Parameters)
                parameter.Replace(parameter.Value.Clone());
            return new RunModel(model, options.Model);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>The most tokens of a sequence, read from the configuration alone.</summary>
    /// <exception cref="UserErrorException">The configuration is missing, broken or not supported.</exception>
    public static int MaxPositions(RunOptions options, Tokenizer tokenizer)
    {
        if (options.Model.Config is { } config)
            return ArchitectureTable.ReadConfig(WithVocabulary(config, tokenizer), "model_config").MaxPositions;
        var path = Path.Combine(options.Model.NameOrPath!, ConfigFile.Name);
        return ArchitectureTable.ReadConfig(ConfigFile.Read(path), path).MaxPositions;
    }

    /// <summary>Makes the optimizer; its master copies start from the checkpoint's full precision.</summary>
    public IOptimizer CreateOptimizer(RunOptions run)
    {
        var optimizer = OptimizerTable.Create(run.Optimization, options.Precision, Model.Parameters, (ulong)(uint)run.Seed);
        if (options.Config is null && Model.StoredDType == DType.Float32)
            RunCheckpoint.LoadMasters(options.NameOrPath!, Model, optimizer);
        return optimizer;
    }

    /// <summary>Writes the model with the optimizer's most exact weights.</summary>
    public void Save(string folder, IOptimizer optimizer) => Model.Save(folder, SavedDType, optimizer.Weights);

    /// <inheritdoc/>
    public void Dispose() => Model.Dispose();

    private static System.Text.Json.Nodes.JsonObject WithVocabulary(System.Text.Json.Nodes.JsonObject config, Tokenizer tokenizer)
    {
        var complete = config.DeepClone().AsObject();
        complete["vocab_size"] ??= tokenizer.VocabSize;
        if (tokenizer.BosId is { } bos)
            complete["bos_token_id"] ??= bos;
        if (tokenizer.EosId is { } eos)
            complete["eos_token_id"] ??= eos;
        return complete;
    }
}
