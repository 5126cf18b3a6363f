using Handbook.Autograd;
using Handbook.Data.Packing;
using Handbook.Models;
using Handbook.Models.Blocks;
using Handbook.Models.Configuration;

namespace Handbook.Training.Objectives;

/// <summary>A causal language model as objectives see it.</summary>
/// <param name="model">The model.</param>
/// <param name="options">Recomputation, embedding noise, dropout.</param>
public sealed class CausalPolicy(CausalLanguageModel model, ForwardOptions options) : IPolicy
{
    /// <inheritdoc/>
    public HiddenStates Forward(Tape tape, TokenBatch batch)
    {
        var output = model.Forward(tape, batch.TokenIds, batch.Layout, tape.IsRecording ? options : ForwardOptions.Default);
        return new HiddenStates(output.Hidden, model.Head) { Router = Balance(tape, output) };
    }

    private RouterAuxLoss? Balance(Tape tape, DecoderOutput output)
    {
        var config = model.Config;
        if (config.RouterAuxLossCoefficient == 0 || output.RouterLogits.Count == 0)
            return null;
        var choices = config.Layers.Select(layer => layer.FeedForward.Routing).OfType<RoutingConfig>().First().ExpertsPerToken;
        return new RouterAuxLoss(Routing.AuxLoss(tape, output.RouterLogits, choices), config.RouterAuxLossCoefficient);
    }
}
