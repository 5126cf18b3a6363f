using Handbook.Autograd;
using Handbook.Models.Weights;

namespace Handbook.Models.Blocks;

/// <summary>A linear layer of a checkpoint: a weight [outputs, inputs] and, with some architectures, a bias.</summary>
public sealed class Projection
{
    /// <summary>Takes the weights from a source.</summary>
    /// <param name="source">Where they come from.</param>
    /// <param name="name">Name in the checkpoint, without <c>.weight</c>.</param>
    /// <param name="outputs">Rows of the weight.</param>
    /// <param name="inputs">Columns of the weight.</param>
    /// <param name="hasBias">Whether there is a bias.</param>
    public Projection(WeightSource source, string name, long outputs, long inputs, bool hasBias)
    {
        Weight = source.Parameter(name + ".weight", [outputs, inputs], Initialization.Normal);
        Bias = hasBias ? source.Parameter(name + ".bias", [outputs], Initialization.Zeros) : null;
    }

    /// <summary>[outputs, inputs].</summary>
    public Parameter Weight { get; }

    /// <summary>[outputs], or null.</summary>
    public Parameter? Bias { get; }

    /// <summary>Weight and bias, in that order.</summary>
    public IEnumerable<Parameter> Parameters => Bias is null ? [Weight] : [Weight, Bias];

    /// <summary>x Wᵀ + b, [tokens, outputs].</summary>
    public Variable Apply(Tape tape, ForwardContext context, Variable input) => context.Project(tape, input, [Weight], [Bias])[0];

    /// <summary>Several layers on one input.</summary>
    public static Variable[] ApplyMany(Tape tape, ForwardContext context, Variable input, params Projection[] layers) =>
        context.Project(tape, input, Array.ConvertAll(layers, layer => (Variable)layer.Weight), Array.ConvertAll(layers, layer => (Variable?)layer.Bias));
}
