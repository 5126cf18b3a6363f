using Handbook.Autograd;
using Handbook.Models.Weights;

namespace Handbook.Models.Blocks;

/// <summary>A linear layer of a checkpoint: a weight [outputs, inputs] and, with some architectures, a bias.</summary>
public sealed class Projection
{
    private readonly WeightSlot weight;
    private readonly WeightSlot? bias;

    /// <summary>Takes the weights from a source.</summary>
    /// <param name="source">Where they come from.</param>
    /// <param name="name">Name in the checkpoint, without <c>.weight</c>.</param>
    /// <param name="outputs">Rows of the weight.</param>
    /// <param name="inputs">Columns of the weight.</param>
    /// <param name="hasBias">Whether there is a bias.</param>
    /// <param name="form">How the weight stands in files; null for as it is.</param>
    public Projection(WeightSource source, string name, long outputs, long inputs, bool hasBias, StoredForm? form = null)
    {
        weight = source.Slot(name + ".weight", [outputs, inputs], Initialization.Normal, form, WeightRole.Linear);
        bias = hasBias ? source.Slot(name + ".bias", [outputs], Initialization.Zeros) : null;
    }

    /// <summary>Weight [outputs, inputs] and bias [outputs], in that order.</summary>
    public IEnumerable<WeightSlot> Slots => bias is null ? [weight] : [weight, bias];

    /// <summary>x Wᵀ + b, [tokens, outputs].</summary>
    public Variable Apply(Tape tape, ForwardContext context, Variable input) =>
        context.Project(tape, input, [weight.Weight], [bias?.Weight])[0];

    /// <summary>
    /// The parts that several layers make of one input. A single layer that holds all of them is cut into parts of the given widths,
    /// so that who asks does not know which of the two a checkpoint has.
    /// </summary>
    internal static Variable[] ApplyMany(Tape tape, ForwardContext context, Variable input, Projection[] layers, ReadOnlySpan<long> widths)
    {
        var outputs = context.Project(
            tape, input, Array.ConvertAll(layers, layer => layer.weight.Weight), Array.ConvertAll(layers, layer => layer.bias?.Weight));
        if (layers.Length == widths.Length)
            return outputs;
        using var whole = outputs[0];
        return Columns.Split(tape, whole, widths);
    }

    /// <summary>Layers for parts of the given widths: one for each name, or one that holds all of them.</summary>
    internal static Projection[] Many(
        WeightSource source, string prefix, IReadOnlyList<string> names, ReadOnlySpan<long> widths, long inputs, bool hasBias,
        StoredForm form)
    {
        if (names.Count != 1 && names.Count != widths.Length)
            throw new ArgumentException($"{names.Count} names for {widths.Length} parts.", nameof(names));
        var layers = new Projection[names.Count];
        for (var i = 0; i < layers.Length; i++)
            layers[i] = new Projection(
                source, prefix + names[i], names.Count == widths.Length ? widths[i] : Sum(widths), inputs, hasBias, form);
        return layers;
    }

    private static long Sum(ReadOnlySpan<long> widths)
    {
        var sum = 0L;
        foreach (var width in widths)
            sum += width;
        return sum;
    }
}
