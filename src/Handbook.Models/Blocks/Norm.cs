using Handbook.Autograd;
using Handbook.Models.Configuration;
using Handbook.Models.Weights;

namespace Handbook.Models.Blocks;

/// <summary>A normalisation with its weights.</summary>
public sealed class Norm
{
    private readonly NormConfig config;

    /// <summary>Takes the weights from a source.</summary>
    public Norm(WeightSource source, string name, long width, NormConfig config)
    {
        this.config = config;
        Weight = source.Parameter(name + ".weight", [width], config.IsOffset ? Initialization.Zeros : Initialization.Ones);
        Bias = config.HasBias ? source.Parameter(name + ".bias", [width], Initialization.Zeros) : null;
    }

    /// <summary>[width].</summary>
    public Parameter Weight { get; }

    /// <summary>[width], or null.</summary>
    public Parameter? Bias { get; }

    /// <summary>Weight and bias, in that order.</summary>
    public IEnumerable<Parameter> Parameters => Bias is null ? [Weight] : [Weight, Bias];

    /// <summary>A norm where the configuration has one.</summary>
    internal static Norm? Optional(WeightSource source, string name, long width, NormConfig? config) =>
        config is null ? null : new Norm(source, name, width, config);

    /// <summary>Normalises the last dimension of [rows, width].</summary>
    public Variable Apply(Tape tape, Variable input) => config.Kind == NormKind.Layer
        ? LayerNorm.Apply(tape, input, Weight, Bias, config.Epsilon)
        : RmsNorm.Apply(tape, input, Weight, config.Epsilon, config.IsOffset);

    /// <summary>Adds a block's result to the stream and normalises the sum.</summary>
    public (Variable Sum, Variable Normalized) ApplyWithResidual(Tape tape, Variable stream, Variable delta)
    {
        if (config.Kind == NormKind.RootMeanSquare)
            return RmsNorm.ApplyWithResidual(tape, stream, delta, Weight, config.Epsilon, config.IsOffset);
        var sum = Residual.Add(tape, stream, delta);
        return (sum, Apply(tape, sum));
    }
}
