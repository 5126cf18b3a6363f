using Handbook.Autograd;
using Handbook.Models.Architectures;
using Handbook.Models.Configuration;
using Handbook.Models.Weights;

namespace Handbook.Models.Blocks;

/// <summary>The gated feed-forward block: down(act(gate(x)) · up(x)).</summary>
public sealed class FeedForwardBlock
{
    private readonly FeedForwardConfig config;
    private readonly Projection gate;
    private readonly Projection up;
    private readonly Projection down;

    /// <summary>Takes the weights of a layer from a source.</summary>
    public FeedForwardBlock(WeightSource source, ModelConfig model, WeightNames names, int layer)
    {
        config = model.FeedForward;
        var prefix = $"{names.Layers}.{layer}.";
        gate = new Projection(source, prefix + names.FeedForward.Gate, config.Width, model.HiddenSize, config.Bias);
        up = new Projection(source, prefix + names.FeedForward.Up, config.Width, model.HiddenSize, config.Bias);
        down = new Projection(source, prefix + names.FeedForward.Down, model.HiddenSize, config.Width, config.Bias);
    }

    /// <summary>Its linear layers.</summary>
    public IEnumerable<Projection> Projections => [gate, up, down];

    /// <summary>[tokens, width] to [tokens, width]; takes the input over.</summary>
    public Variable Forward(Tape tape, ForwardContext context, Variable input)
    {
        var projected = Projection.ApplyMany(tape, context, input, gate, up);
        input.Dispose();
        using var gates = projected[0];
        using var ups = projected[1];
        using var product = GatedActivation.Apply(tape, gates, ups, config.Activation);
        gates.Dispose();
        ups.Dispose();
        return down.Apply(tape, context, product);
    }
}
