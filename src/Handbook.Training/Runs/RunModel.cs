using System.Text.Json.Nodes;
using Handbook.Models;
using Handbook.Models.Adapters;
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

    private RunModel(IPretrainedModel model, Adapter? adapter, ModelOptions options) =>
        (Model, Adapter, this.options) = (model, adapter, options);

    /// <summary>The model, in the numbers that the run computes in.</summary>
    public IPretrainedModel Model { get; }

    /// <summary>The adapter that is trained; null when the model itself is.</summary>
    public Adapter? Adapter { get; }

    /// <summary>What the run moves and saves.</summary>
    public ISavedWeights Trained => Adapter ?? (ISavedWeights)Model;

    /// <summary>Element type of the weights that the run ends with.</summary>
    public DType SavedDType => options.SavedDtype switch
    {
        SavedDtype.Float32 => DType.Float32,
        SavedDtype.Float16 => DType.Float16,
        SavedDtype.Bfloat16 => DType.BFloat16,
        // As PEFT: an adapter is small.
        _ when Adapter is not null => DType.Float32,
        _ => Model.StoredDType ?? ComputeDType(options),
    };

    /// <summary>
    /// Loads the checkpoint that the options name, or makes a new model. Where tokens were added to the tokenizer the embedding and
    /// the head grow.
    /// </summary>
    /// <exception cref="UserErrorException">The folder is broken or not supported, or the tokenizer belongs to another model.</exception>
    public static RunModel Open(RunOptions options, TrainingMethod method, Tokenizer tokenizer, ITrainingProgress progress)
    {
        IPretrainedModel model = method.IsClassifier ? Classifier(options, tokenizer, progress) : Causal(options, tokenizer, progress);
        model.SpecialTokens = new SpecialTokenIds(tokenizer.BosId, tokenizer.EosId, RunVocabulary.PaddingId(tokenizer, method));
        try
        {
            var adapter = options.Lora is { } lora ? RunAdapter.Attach(model, options, lora, method) : null;
            if (adapter is null)
                TakeOver(model);
            RunRemarks.Tell(model, adapter, progress);
            CheckFinite(model, options);
            return new RunModel(model, adapter, options.Model);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>The element type that a run computes in.</summary>
    public static DType ComputeDType(ModelOptions model) => model.Precision.ComputeDType();

    /// <summary>Makes the optimizer; its master copies start from the checkpoint's full precision.</summary>
    public IOptimizer CreateOptimizer(RunOptions run)
    {
        var optimizer = OptimizerTable.Create(run.Optimization, options.Precision, Trained.Parameters, (ulong)(uint)run.Seed);
        RunCheckpoint.LoadMasters(Trained, optimizer);
        foreach (var slot in Model.Slots)
            slot.Settle();
        return optimizer;
    }

    /// <summary>Writes the model with the optimizer's most exact weights.</summary>
    /// <exception cref="NonFiniteWeightsException">A weight is not finite in the type it is saved in; nothing was written.</exception>
    public void Save(string folder, IOptimizer optimizer)
    {
        NonFiniteWeightsException.ThrowIfAny(folder,
            Trained.Parameters.Select(parameter => new NamedTensor(parameter.Name, optimizer.Weights(parameter), SavedDType)));
        Trained.Save(folder, SavedDType, optimizer.Weights);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Model.Dispose();
        Adapter?.Dispose();
    }

    /// <summary>Makes a model's weights its own, all of which are trained.</summary>
    private static void TakeOver(IPretrainedModel model)
    {
        RunQuantization.CheckTrained(model);
        Adapter.Merge(model, model.Adapters);
        // Several weights may be views of one tensor of the file; what is trained is memory of its own.
        foreach (var parameter in model.Parameters)
        {
            parameter.IsTrained = true;
            parameter.Replace(parameter.Value.Clone());
        }
    }

    /// <summary>A weight that is no number trains nothing that could be saved: said before the first step.</summary>
    private static void CheckFinite(IPretrainedModel model, RunOptions options)
    {
        if (model.Parameters.FirstOrDefault(parameter => !parameter.Value.AllFinite()) is not { } broken)
            return;
        throw new UserErrorException($"{options.Model.NameOrPath ?? "model_config"}: {broken.Name} holds values that are infinite or not "
            + "a number; the run that wrote it diverged, or the file is damaged.");
    }

    private static CausalLanguageModel Causal(RunOptions options, Tokenizer tokenizer, ITrainingProgress progress)
    {
        var dtype = ComputeDType(options.Model);
        if (options.Model.Config is { } config)
        {
            var made = CausalLanguageModel.Create(RunVocabulary.Complete(config, tokenizer), (ulong)(uint)options.Seed, dtype,
                RunDevice.Of(options.Model).Device, "model_config");
            return made.Config.VocabularySize >= tokenizer.VocabSize
                ? made
                : throw Refused(made,
                    $"model_config: vocab_size is {made.Config.VocabularySize}, the tokenizer has "
                        + $"{Quantity.Of(tokenizer.VocabSize, "token")}; token ids beyond it have no "
                        + "embedding. Leave vocab_size out to take the tokenizer's.");
        }
        var before = RunVocabulary.Config(options, tokenizer).VocabularySize;
        RunVocabulary.Check(options, tokenizer, before);
        if (RunVocabulary.Growth(tokenizer, before) is { } growth)
            progress.Note(growth);
        return CausalLanguageModel.Load(options.Model.NameOrPath!, dtype, RunDevice.Of(options.Model).Device,
            vocabulary: tokenizer.VocabSize, quantization: RunQuantization.Of(options));
    }

    private static SequenceClassifier Classifier(RunOptions options, Tokenizer tokenizer, ITrainingProgress progress)
    {
        if (options.Model.NameOrPath is not { } path)
            throw new UserErrorException("model_config: a reward model starts from a trained model; give model_name_or_path.");
        var vocabulary = RunVocabulary.Config(options, tokenizer).VocabularySize;
        if (tokenizer.VocabSize > vocabulary)
            throw new UserErrorException($"{path}: the tokenizer has {Quantity.Of(tokenizer.VocabSize, "token")}, the model's vocab_size "
                + $"is {vocabulary}; train the language model with the added tokens first.");
        var model = SequenceClassifier.Load(path, ComputeDType(options.Model), (ulong)(uint)options.Seed, labels: 1,
            RunDevice.Of(options.Model).Device, RunQuantization.Of(options));
        foreach (var name in model.NewWeights)
            progress.Note($"{name} is not in {path}: it begins with random numbers");
        return model;
    }

    private static UserErrorException Refused(CausalLanguageModel model, string why)
    {
        model.Dispose();
        return new UserErrorException(why);
    }
}
