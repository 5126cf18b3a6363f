using Handbook.Autograd;
using Handbook.Models.Architectures;
using Handbook.Models.Configuration;
using Handbook.Models.Weights;

namespace Handbook.Models.Blocks;

/// <summary>What follows attention in a layer.</summary>
public abstract class FeedForwardBlock
{
    /// <summary>All its weights, in the reference's order.</summary>
    public abstract IEnumerable<WeightSlot> Slots { get; }

    /// <summary>[tokens, width] to [tokens, width], and the router's logits [tokens, experts] where there is one;
    /// takes the input over.</summary>
    public abstract (Variable Output, Variable? RouterLogits) Forward(Tape tape, ForwardContext context, Variable input);

    /// <summary>The block that a layer's configuration asks for.</summary>
    internal static FeedForwardBlock Create(WeightSource source, ModelConfig model, WeightNames names, int layer) =>
        model.Layers[layer].FeedForward.Routing is null
            ? new DenseFeedForward(source, model, names, layer)
            : new RoutedFeedForward(source, model, names, layer);
}

/// <summary>down(act(gate(x)) · up(x)), or down(act(up(x))) where nothing is gated.</summary>
internal sealed class DenseFeedForward : FeedForwardBlock
{
    private readonly FeedForwardConfig config;
    private readonly long[] widths;
    private readonly Projection[] inputs;
    private readonly Projection output;

    internal DenseFeedForward(WeightSource source, ModelConfig model, WeightNames names, int layer)
    {
        config = model.Layers[layer].FeedForward;
        var prefix = $"{names.Layers}.{layer}.";
        widths = config.IsGated ? [config.Width, config.Width] : [config.Width];
        inputs = Projection.Many(source, prefix, names.FeedForwardInputs, widths, model.HiddenSize, config.HasBias, names.Projections);
        output = new Projection(
            source, prefix + names.FeedForwardOutput, model.HiddenSize, config.Width, config.HasBias, names.Projections);
    }

    public override IEnumerable<WeightSlot> Slots => inputs.Append(output).SelectMany(layer => layer.Slots);

    public override (Variable Output, Variable? RouterLogits) Forward(Tape tape, ForwardContext context, Variable input)
    {
        var projected = Projection.ApplyMany(tape, context, input, inputs, widths);
        input.Dispose();
        using var active = Activated(tape, projected);
        return (output.Apply(tape, context, active), null);
    }

    private Variable Activated(Tape tape, Variable[] projected)
    {
        using var first = projected[0];
        if (!config.IsGated)
            return Activation.Apply(tape, first, config.Activation);
        using var up = projected[1];
        return GatedActivation.Apply(tape, first, up, config.Activation);
    }
}
