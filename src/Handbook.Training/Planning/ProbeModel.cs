using Handbook.Autograd;
using Handbook.Autograd.Quantization;
using Handbook.Models;
using Handbook.Models.Adapters;
using Handbook.Models.Architectures;
using Handbook.Models.Configuration;
using Handbook.Models.Weights;
using Handbook.Torch;
using Handbook.Training.Objectives;
using Handbook.Training.Objectives.Preference;
using Handbook.Training.Optimizers;
using Handbook.Training.Options;
using Handbook.Training.Runs;

namespace Handbook.Training.Planning;

/// <summary>A cut-down model in training as the run would train the whole one: its adapter, its reference, its optimizer.</summary>
internal sealed class ProbeModel : IDisposable
{
    private readonly List<IDisposable> owned = [];
    private readonly IPretrainedModel model;
    private readonly CausalLanguageModel? frozen;
    private readonly ISavedWeights trained;
    private readonly QuantizationConfig? quantization;
    private readonly WeightNames names;

    /// <summary>Makes it.</summary>
    /// <param name="options">The run.</param>
    /// <param name="config">The cut-down model.</param>
    /// <param name="device">Where; on the device without elements sizes are all there is.</param>
    internal ProbeModel(RunOptions options, ModelConfig config, Device device)
    {
        Options = options;
        Method = TrainingMethod.Of(options.Task);
        var dtype = RunModel.ComputeDType(options.Model);
        names = ArchitectureTable.Rows[config.ModelType].Names;
        try
        {
            quantization = config.Quantization ?? RunQuantization.Of(options);
            var source = new PatternWeights(dtype, device) { Quantization = quantization is null ? null : (quantization, names) };
            model = Method.IsClassifier
                ? SequenceClassifier.Build(config with { LabelCount = 1 }, source) : CausalLanguageModel.Build(config, source);
            owned.Add(model);
            var adapter = options.Lora is { } lora ? Adapt(RunAdapter.Config(lora, options, Method, config.ModelType)) : null;
            if (adapter is not null)
                owned.Add(adapter);
            trained = adapter is null ? model : adapter;
            frozen = HasFrozenModel(options) ? CausalLanguageModel.Build(config, new PatternWeights(dtype, device)) : null;
            if (frozen is not null)
                owned.Add(frozen);
            Reference = frozen is not null ? new LiveReference(new CausalPolicy(frozen, ForwardOptions.Default))
                : adapter is not null && IsLive(options)
                    ? new UnadaptedReference(new CausalPolicy((CausalLanguageModel)model, ForwardOptions.Default), adapter.Switch)
                    : new NoReference();
            Optimizer = OptimizerTable.Create(options.Optimization, options.Model.Precision, trained.Parameters, 0);
            owned.Add(Optimizer);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The run.</summary>
    internal RunOptions Options { get; }

    /// <summary>Its method.</summary>
    internal TrainingMethod Method { get; }

    /// <summary>The optimizer.</summary>
    internal IOptimizer Optimizer { get; }

    /// <summary>The frozen model's log-probabilities.</summary>
    internal IReferenceLogps Reference { get; }

    /// <summary>What is trained.</summary>
    internal IReadOnlyList<Parameter> Trained => trained.Parameters;

    /// <summary>Number of the model's weights.</summary>
    internal long ParameterCount => model.ParameterCount;

    /// <summary>The model's weights with its adapter's.</summary>
    internal IEnumerable<(string Name, long Bytes)> Weights => Of(model);

    /// <summary>The weights of a frozen model beside it.</summary>
    internal IEnumerable<(string Name, long Bytes)> FrozenWeights => frozen is null ? [] : Of(frozen);

    /// <summary>What the optimizer keeps.</summary>
    internal IEnumerable<(string Name, long Bytes)> States => Optimizer.State().Select(state => (state.Name, state.Tensor.ByteCount));

    /// <summary>What is learned.</summary>
    /// <param name="observe">Sees what layers make in training; null for nobody.</param>
    internal IObjective Objective(Action<Tensor>? observe) =>
        Method.Objective(new MethodParts(model, Options, Reference) { Observe = observe });

    /// <inheritdoc/>
    public void Dispose()
    {
        owned.Reverse();
        owned.ForEach(one => one.Dispose());
        owned.Clear();
    }

    /// <summary>The adapter; where its targets name layers that were cut away, one of the same rank on all linear layers.</summary>
    private Adapter Adapt(LoraConfig config)
    {
        try
        {
            return Adapter.Create(model, config, 0, RunAdapter.Origin);
        }
        catch (UserErrorException)
        {
            // A mistake of the recipe is told when the whole model is loaded.
            return Adapter.Create(model, config with
            {
                TargetModules = ModulePattern.OfText(ModulePattern.AllLinear, RunAdapter.Origin), TargetParameters = [], ModulesToSave = [],
                RankPattern = [], AlphaPattern = [], Rank = Math.Max(1, config.Rank),
            }, 0, RunAdapter.Origin);
        }
    }

    /// <summary>True when a second model stands beside the one in training.</summary>
    private static bool HasFrozenModel(RunOptions options) =>
        IsLive(options) && (options.Lora is null || options.Preference.ReferenceModel is not null);

    /// <summary>True when log-probabilities of a reference are computed in the steps themselves.</summary>
    private static bool IsLive(RunOptions options) => TrainingMethod.Of(options.Task).NeedsReference && !options.Preference.ReferenceFree
        && options.Preference is not { PrecomputeReference: true, SyncReference: false };


    private IEnumerable<(string Name, long Bytes)> Of(IPretrainedModel one) => one.Slots.SelectMany(slot =>
        slot.Weight.Parameters.Select(parameter => (slot.Name, BytesOf(one, slot, parameter)))
            .Concat(slot.Weight.Quantized.SelectMany(codes => codes.Parts).Select(part => (slot.Name, part.ByteCount))));

    // Without elements there are no codes either: what would be in codes is counted as if it were.
    private long BytesOf(IPretrainedModel one, WeightSlot slot, Parameter parameter) =>
        quantization is { } codes && one == model && parameter.Device.Kind == DeviceKind.Meta && parameter.Name == slot.Name
            && codes.Takes(slot.Name, slot.Role, names)
            ? QuantizedMatrix.ByteCountOf(parameter.Value.ElementCount, parameter.Value.ElementCount / parameter.Value.Size(-1),
                codes.Format, codes.DoubleQuantization)
            : parameter.Value.ByteCount;
}
