using Handbook.Models;
using Handbook.Torch;
using Handbook.Training.Objectives;

namespace Handbook.Training.ReferenceStore;

/// <summary>A model that fills a store and is let go then.</summary>
/// <param name="Policy">The model as objectives see it.</param>
/// <param name="Weights">What disposing frees; null when somebody else owns the model.</param>
public sealed record ReferenceModel(IPolicy Policy, IDisposable? Weights = null) : IDisposable
{
    /// <summary>Loads a model folder.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="dtype">Element type to compute in.</param>
    /// <param name="device">Where it computes.</param>
    /// <exception cref="UserErrorException">The folder is broken or not supported.</exception>
    public static ReferenceModel Load(string path, DType dtype, Device device = default)
    {
        var model = CausalLanguageModel.Load(path, dtype, device);
        return new ReferenceModel(new CausalPolicy(model, ForwardOptions.Default), model);
    }

    /// <summary>Frees the weights.</summary>
    public void Dispose() => Weights?.Dispose();
}
