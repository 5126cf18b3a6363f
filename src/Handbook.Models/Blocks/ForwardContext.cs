using Handbook.Autograd;
using Handbook.Torch;

namespace Handbook.Models.Blocks;

/// <summary>
/// What the layers of one pass over a row of tokens share: where tokens stand, what they may see, and how they meet a weight.
/// Training runs over a packed row; generation puts its cache here, and the layers do not know the difference.
/// </summary>
public abstract class ForwardContext : IDisposable
{
    /// <summary>Takes over the angles of a row's positions.</summary>
    protected ForwardContext(Tensor cos, Tensor sin)
    {
        Cos = cos;
        Sin = sin;
    }

    /// <summary>Cosines of the rotary embedding, [tokens, width / 2].</summary>
    public Tensor Cos { get; }

    /// <summary>Sines of the rotary embedding, [tokens, width / 2].</summary>
    public Tensor Sin { get; }

    /// <summary>Attention of one layer.</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="layer">Number of the layer.</param>
    /// <param name="query">[tokens, heads, headDim].</param>
    /// <param name="key">[tokens, key/value heads, headDim].</param>
    /// <param name="value">[tokens, key/value heads, headDim].</param>
    /// <param name="scale">Factor on the products.</param>
    /// <returns>[tokens, heads, headDim].</returns>
    public abstract Variable Attend(Tape tape, int layer, Variable query, Variable key, Variable value, double scale);

    /// <summary>Products of one input with several weights: x Wᵀ + b each.</summary>
    public virtual Variable[] Project(Tape tape, Variable input, Variable[] weights, Variable?[] biases) =>
        weights.Length == 1 ? [Linear.Apply(tape, input, weights[0], biases[0])] : Linear.ApplyMany(tape, input, weights, biases);

    /// <summary>Frees the angles.</summary>
    public void Dispose()
    {
        Cos.Dispose();
        Sin.Dispose();
        GC.SuppressFinalize(this);
    }
}

/// <summary>A pass over a packed row: tokens see their own document.</summary>
public sealed class PackedContext : ForwardContext
{
    private readonly SequenceLayout layout;

    /// <summary>Prepares a pass.</summary>
    public PackedContext(RotaryTables tables, SequenceLayout layout) : this(tables.For(layout), layout) { }

    private PackedContext((Tensor Cos, Tensor Sin) angles, SequenceLayout layout) : base(angles.Cos, angles.Sin) => this.layout = layout;

    /// <inheritdoc/>
    public override Variable Attend(Tape tape, int layer, Variable query, Variable key, Variable value, double scale) =>
        Attention.Apply(tape, query, key, value, layout, scale);
}
