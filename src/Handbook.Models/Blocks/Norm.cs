using Handbook.Autograd;
using Handbook.Models.Configuration;
using Handbook.Models.Weights;

namespace Handbook.Models.Blocks;

/// <summary>A normalisation with its weights.</summary>
public sealed class Norm
{
    private readonly NormConfig config;
    private readonly WeightSlot weight;
    private readonly WeightSlot? bias;

    /// <summary>Takes the weights from a source.</summary>
    public Norm(WeightSource source, string name, long width, NormConfig config)
    {
        this.config = config;
        weight = source.Slot(name + ".weight", [width], config.IsOffset ? Initialization.Zeros : Initialization.Ones);
        bias = config.HasBias ? source.Slot(name + ".bias", [width], Initialization.Zeros) : null;
    }

    /// <summary>Weight and bias [width], in that order.</summary>
    public IEnumerable<WeightSlot> Slots => bias is null ? [weight] : [weight, bias];

    /// <summary>A norm where the configuration has one.</summary>
    internal static Norm? Optional(WeightSource source, string name, long width, NormConfig? config) =>
        config is null ? null : new Norm(source, name, width, config);

    /// <summary>Normalises the last dimension of [rows, width].</summary>
    public Variable Apply(Tape tape, Variable input) => config.Kind == NormKind.Layer
        ? LayerNorm.Apply(tape, input, weight.Weight, bias?.Weight, config.Epsilon)
        : RmsNorm.Apply(tape, input, weight.Weight, config.Epsilon, config.IsOffset);

    /// <summary>Adds a block's result to the stream and normalises the sum.</summary>
    public (Variable Sum, Variable Normalized) ApplyWithResidual(Tape tape, Variable stream, Variable delta)
    {
        if (config.Kind == NormKind.RootMeanSquare)
            return RmsNorm.ApplyWithResidual(tape, stream, delta, weight.Weight, config.Epsilon, config.IsOffset);
        var sum = Residual.Add(tape, stream, delta);
        return (sum, Apply(tape, sum));
    }
}
