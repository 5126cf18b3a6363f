using System.Text.Json.Nodes;
using Handbook.Models;
using Handbook.Models.Architectures;
using Handbook.Models.Configuration;
using Handbook.Models.Safetensors;
using Handbook.Tokenizers;
using Handbook.Torch;
using Handbook.Training.Loop;
using Handbook.Training.Optimizers;
using Handbook.Training.Options;
using Handbook.Training.Progress;

namespace Handbook.Training.Runs;

/// <summary>The model of a run and the optimizer that moves it.</summary>
public sealed class RunModel : IDisposable
{
    private readonly ModelOptions options;

    private RunModel(IPretrainedModel model, ModelOptions options) => (Model, this.options) = (model, options);

    /// <summary>The model, in the numbers that the run computes in.</summary>
    public IPretrainedModel Model { get; }

    /// <summary>Element type of the weights that the run ends with.</summary>
    public DType SavedDType => options.SavedDtype switch
    {
        SavedDtype.Float32 => DType.Float32,
        SavedDtype.Float16 => DType.Float16,
        SavedDtype.Bfloat16 => DType.BFloat16,
        _ => Model.StoredDType ?? (options.Precision == Precision.Float32 ? DType.Float32 : DType.BFloat16),
    };

    /// <summary>
    /// Loads the checkpoint that the options name, or makes a new model. Where tokens were added to the tokenizer the embedding and
    /// the head grow.
    /// </summary>
    /// <exception cref="UserErrorException">The folder is broken or not supported, or the tokenizer belongs to another model.</exception>
    public static RunModel Open(RunOptions options, TrainingMethod method, Tokenizer tokenizer, ITrainingProgress progress)
    {
        IPretrainedModel model = method.IsClassifier ? Classifier(options, tokenizer, progress) : Causal(options, tokenizer, progress);
        model.SpecialTokens = new SpecialTokenIds(tokenizer.BosId, tokenizer.EosId, PaddingId(tokenizer, method));
        // Several weights may be views of one tensor of the file; what is trained is memory of its own.
        foreach (var parameter in model.Parameters)
            parameter.Replace(parameter.Value.Clone());
        CheckFinite(model, options);
        return new RunModel(model, options.Model);
    }

    /// <summary>The element type that a run computes in.</summary>
    public static DType ComputeDType(ModelOptions model) => model.Precision == Precision.Float32 ? DType.Float32 : DType.BFloat16;

    /// <summary>The configuration alone.</summary>
    /// <exception cref="UserErrorException">It is missing, broken or not supported.</exception>
    public static ModelConfig Config(RunOptions options, Tokenizer tokenizer)
    {
        if (options.Model.Config is { } config)
            return ArchitectureTable.ReadConfig(WithVocabulary(config, tokenizer), "model_config");
        var path = Path.Combine(options.Model.NameOrPath!, ConfigFile.Name);
        return ArchitectureTable.ReadConfig(ConfigFile.Read(path), path);
    }

    /// <summary>Makes the optimizer; its master copies start from the checkpoint's full precision.</summary>
    public IOptimizer CreateOptimizer(RunOptions run)
    {
        var optimizer = OptimizerTable.Create(run.Optimization, options.Precision, Model.Parameters, (ulong)(uint)run.Seed);
        RunCheckpoint.LoadMasters(Model, optimizer);
        return optimizer;
    }

    /// <summary>Writes the model with the optimizer's most exact weights.</summary>
    /// <exception cref="NonFiniteWeightsException">A weight is not finite in the type it is saved in; nothing was written.</exception>
    public void Save(string folder, IOptimizer optimizer)
    {
        NonFiniteWeightsException.ThrowIfAny(folder,
            Model.Parameters.Select(parameter => new NamedTensor(parameter.Name, optimizer.Weights(parameter), SavedDType)));
        Model.Save(folder, SavedDType, optimizer.Weights);
    }

    /// <inheritdoc/>
    public void Dispose() => Model.Dispose();

    /// <summary>A weight that is no number trains nothing that could be saved: said before the first step.</summary>
    private static void CheckFinite(IPretrainedModel model, RunOptions options)
    {
        if (model.Parameters.FirstOrDefault(parameter => !parameter.Value.AllFinite()) is not { } broken)
            return;
        model.Dispose();
        throw new UserErrorException($"{options.Model.NameOrPath ?? "model_config"}: {broken.Name} holds values that are infinite or not "
            + "a number; the run that wrote it diverged, or the file is damaged.");
    }

    private static CausalLanguageModel Causal(RunOptions options, Tokenizer tokenizer, ITrainingProgress progress)
    {
        var dtype = ComputeDType(options.Model);
        if (options.Model.Config is { } config)
        {
            var made = CausalLanguageModel.Create(WithVocabulary(config, tokenizer), (ulong)(uint)options.Seed, dtype,
                RunDevice.Of(options.Model).Device, "model_config");
            return made.Config.VocabularySize >= tokenizer.VocabSize
                ? made
                : throw Refused(made,
                    $"model_config: vocab_size is {made.Config.VocabularySize}, the tokenizer has "
                        + $"{Quantity.Of(tokenizer.VocabSize, "token")}; token ids beyond it have no "
                        + "embedding. Leave vocab_size out to take the tokenizer's.");
        }
        var before = Config(options, tokenizer).VocabularySize;
        CheckVocabulary(options, tokenizer, before);
        if (tokenizer.VocabSize > before)
        {
            var added = tokenizer.AddedTokens.Where(token => token.Key >= before).Take(4).Select(token => token.Value.Content);
            progress.Note($"added tokens {string.Join(", ", added)}: the embedding grows from {before} to {tokenizer.VocabSize} rows, "
                + "new ones begin as the mean of the others");
        }
        return CausalLanguageModel.Load(options.Model.NameOrPath!, dtype, RunDevice.Of(options.Model).Device,
            vocabulary: tokenizer.VocabSize);
    }

    private static SequenceClassifier Classifier(RunOptions options, Tokenizer tokenizer, ITrainingProgress progress)
    {
        if (options.Model.NameOrPath is not { } path)
            throw new UserErrorException("model_config: a reward model starts from a trained model; give model_name_or_path.");
        var vocabulary = Config(options, tokenizer).VocabularySize;
        if (tokenizer.VocabSize > vocabulary)
            throw new UserErrorException($"{path}: the tokenizer has {Quantity.Of(tokenizer.VocabSize, "token")}, the model's vocab_size "
                + $"is {vocabulary}; train the language model with the added tokens first.");
        var model = SequenceClassifier.Load(path, ComputeDType(options.Model), (ulong)(uint)options.Seed, labels: 1,
            RunDevice.Of(options.Model).Device);
        foreach (var name in model.NewWeights)
            progress.Note($"{name} is not in {path}: it begins with random numbers");
        return model;
    }

    /// <summary>Added tokens may lie beyond the model's rows; a vocabulary that does was made for another model.</summary>
    private static void CheckVocabulary(RunOptions options, Tokenizer tokenizer, int rows)
    {
        var added = tokenizer.AddedTokens.Count(token => token.Key >= rows);
        if (tokenizer.VocabSize - rows > added)
        {
            throw new UserErrorException(
                $"{options.Model.NameOrPath}: the tokenizer has {Quantity.Of(tokenizer.VocabSize, "token")}, the model's vocab_size is "
                + $"{rows}; only added tokens may lie beyond it, so the tokenizer belongs to another model.");
        }
    }

    /// <summary>
    /// The padding token to write down. transformers reads a classifier's score before the first padding token and never moves its
    /// embedding: a token that ends answers must not be named.
    /// </summary>
    private static int? PaddingId(Tokenizer tokenizer, TrainingMethod method)
    {
        if (tokenizer.PadId is { } pad && pad != tokenizer.EosId)
            return pad;
        return method.IsClassifier && tokenizer.Settings.UnkToken is { } unknown ? tokenizer.TokenToId(unknown) : null;
    }

    private static UserErrorException Refused(CausalLanguageModel model, string why)
    {
        model.Dispose();
        return new UserErrorException(why);
    }

    private static JsonObject WithVocabulary(JsonObject config, Tokenizer tokenizer)
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
