using Handbook.Autograd;
using Handbook.Data.Packing;
using Handbook.Models;

namespace Handbook.Training.Objectives;

/// <summary>A causal language model as objectives see it.</summary>
/// <param name="model">The model.</param>
/// <param name="options">Recomputation, embedding noise, dropout.</param>
public sealed class CausalPolicy(CausalLanguageModel model, ForwardOptions options) : IPolicy
{
    /// <inheritdoc/>
    public HiddenStates Forward(Tape tape, TokenBatch batch) => new(
        model.Forward(tape, batch.TokenIds, batch.Layout, tape.IsRecording ? options : ForwardOptions.Default), model.Head);
}
