using System.Text.Json.Nodes;
using Handbook.Autograd;
using Handbook.Models;
using Handbook.TestSupport;
using Handbook.Torch;
using Handbook.Training.Objectives;
using Handbook.Training.Objectives.Preference;
using Handbook.Training.Objectives.RewardModel;

namespace Handbook.Training.Tests.Objectives;

/// <summary>A random Llama model of a few thousand weights, a reference near it, and a reward model.</summary>
internal sealed class SmallModels : IDisposable
{
    internal const int Vocabulary = 67;

    private readonly TemporaryFolder folder = new();

    internal SmallModels(DType dtype, Device device = default)
    {
        Model = CausalLanguageModel.Create(Config(), seed: 1, dtype, device);
        Frozen = CausalLanguageModel.Create(Config(), seed: 2, dtype, device);
        foreach (var (frozen, trained) in Frozen.Parameters.Zip(Model.Parameters))
            frozen.Replace(trained.Value.Multiply(0.95).Add(frozen.Value.Multiply(0.05)));
        Model.Save(folder.Path, DType.Float32);
        Classifier = SequenceClassifier.Load(folder.Path, dtype, seed: 3, labels: 1, device);
        // Several weights may be views of one tensor of the file; tests move them.
        foreach (var parameter in Classifier.Parameters)
            parameter.Replace(parameter.Value.Clone());
    }

    internal CausalLanguageModel Model { get; }

    internal CausalLanguageModel Frozen { get; }

    internal SequenceClassifier Classifier { get; }

    /// <summary>Every weight of the three.</summary>
    internal IEnumerable<Parameter> All => [.. Model.Parameters, .. Frozen.Parameters, .. Classifier.Parameters];

    /// <summary>All in packed rows.</summary>
    internal ObjectiveParts Packed => new(
        new CausalPolicy(Model, ForwardOptions.Default), new LiveReference(new CausalPolicy(Frozen, ForwardOptions.Default)),
        new ClassifierRewardModel(Classifier, ForwardOptions.Default));

    /// <summary>Every sequence on its own.</summary>
    internal ObjectiveParts Separate => new(
        new SeparatePolicy(Model), new LiveReference(new SeparatePolicy(Frozen)), new SeparateScorer(Classifier));

    /// <summary>What an objective of this kind trains.</summary>
    internal IReadOnlyList<Parameter> Parameters(RowKind kind) => kind == RowKind.ScoredPairs ? Classifier.Parameters : Model.Parameters;

    public void Dispose()
    {
        Model.Dispose();
        Frozen.Dispose();
        Classifier.Dispose();
        folder.Dispose();
    }

    private static JsonObject Config() => JsonNode.Parse($$"""
        {
          "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": {{Vocabulary}}, "hidden_size": 32,
          "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
          "max_position_embeddings": 64, "rms_norm_eps": 1e-05, "initializer_range": 0.2, "tie_word_embeddings": false
        }
        """)!.AsObject();
}

/// <summary>What objectives are made of.</summary>
internal sealed record ObjectiveParts(IPolicy Policy, IReferenceLogps Reference, IRewardModel Scorer);
