using Handbook.Autograd;
using Handbook.Models.Configuration;
using Handbook.Models.Weights;

namespace Handbook.Models.Blocks;

/// <summary>A normalisation of the residual stream.</summary>
public sealed class Norm
{
    private readonly NormConfig config;

    /// <summary>Takes the weight from a source.</summary>
    public Norm(WeightSource source, string name, int width, NormConfig config)
    {
        this.config = config;
        Weight = source.Parameter(name + ".weight", [width], Initialization.Ones);
    }

    /// <summary>[width].</summary>
    public Parameter Weight { get; }

    /// <summary>Normalises, [tokens, width].</summary>
    public Variable Apply(Tape tape, Variable stream) => RmsNorm.Apply(tape, stream, Weight, config.Epsilon);

    /// <summary>Adds a block's result to the stream and normalises the sum.</summary>
    public (Variable Sum, Variable Normalized) ApplyWithResidual(Tape tape, Variable stream, Variable delta) =>
        RmsNorm.ApplyWithResidual(tape, stream, delta, Weight, config.Epsilon);
}
