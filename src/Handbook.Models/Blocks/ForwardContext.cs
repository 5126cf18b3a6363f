using Handbook.Autograd;
using Handbook.Models.Configuration;
using Handbook.Torch;

namespace Handbook.Models.Blocks;

/// <summary>
/// What the layers of one pass over a row of tokens share: where tokens stand, what they may see, and how they meet a weight.
/// Training runs over a packed row; generation puts its cache here, and the layers do not know the difference.
/// </summary>
public abstract class ForwardContext : IDisposable
{
    private readonly Dictionary<RotaryConfig, (Tensor Cos, Tensor Sin)> angles = [];
    private readonly RotarySet rotary;

    /// <summary>Prepares a pass.</summary>
    /// <param name="rotary">The model's angles.</param>
    /// <param name="positions">Position of each token in its sequence.</param>
    protected ForwardContext(RotarySet rotary, int[] positions)
    {
        this.rotary = rotary;
        Positions = positions;
    }

    /// <summary>Position of each token in its sequence.</summary>
    public IReadOnlyList<int> Positions { get; }

    /// <summary>True in a pass of training with dropout.</summary>
    public bool Drops { get; init; }

    /// <summary>Cosines and sines of a rotary embedding at the tokens' positions, [tokens, width / 2]; they stay the pass's.</summary>
    public (Tensor Cos, Tensor Sin) Angles(RotaryConfig config)
    {
        if (!angles.TryGetValue(config, out var pair))
            angles.Add(config, pair = AnglesOf(rotary[config]));
        return pair;
    }

    /// <summary>Attention of one layer.</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="layer">Number of the layer.</param>
    /// <param name="query">[tokens, heads, headDim].</param>
    /// <param name="key">[tokens, key/value heads, headDim].</param>
    /// <param name="value">[tokens, key/value heads, headDim].</param>
    /// <param name="config">The layer's rules.</param>
    /// <param name="sinks">Logits of the heads' sinks, [heads]; null for none.</param>
    /// <returns>[tokens, heads, headDim].</returns>
    public abstract Variable Attend(
        Tape tape, int layer, Variable query, Variable key, Variable value, AttentionConfig config, Weight? sinks);

    /// <summary>Products of one input with several weights: x Wᵀ + b each.</summary>
    public virtual Variable[] Project(Tape tape, Variable input, Weight[] weights, Weight?[] biases) =>
        Linear.ApplyMany(tape, input, weights, biases, Drops);

    /// <summary>Products of rows sorted by expert with each one's own weight, [rows, outputs].</summary>
    public virtual Variable ProjectGrouped(Tape tape, Variable rows, ExpertRows experts, Weight weights) =>
        GroupedLinear.Apply(tape, rows, experts, weights, Drops);

    /// <summary>Drops elements in a pass of training; takes the values over.</summary>
    public Variable Drop(Tape tape, Variable values, double probability)
    {
        if (!Drops || probability == 0)
            return values;
        using var whole = values;
        return Dropout.Apply(tape, whole, probability);
    }

    /// <summary>Frees the angles.</summary>
    public void Dispose()
    {
        foreach (var (cos, sin) in angles.Values)
        {
            cos.Dispose();
            sin.Dispose();
        }
        angles.Clear();
        GC.SuppressFinalize(this);
    }

    /// <summary>Cosines and sines from a table, which belong to the caller.</summary>
    private protected abstract (Tensor Cos, Tensor Sin) AnglesOf(RotaryTables tables);

    /// <summary>What attention is told of a layer's rules.</summary>
    private protected AttentionRule RuleOf(AttentionConfig config) =>
        new(config.Scale) { Window = config.Window, SoftCap = config.SoftCap, Dropout = Drops ? config.Dropout : 0 };
}

/// <summary>A pass over a packed row: tokens see their own document.</summary>
public sealed class PackedContext : ForwardContext
{
    private readonly SequenceLayout layout;

    /// <summary>Prepares a pass.</summary>
    public PackedContext(RotarySet rotary, SequenceLayout layout) : base(rotary, layout.Positions()) => this.layout = layout;

    /// <inheritdoc/>
    public override Variable Attend(
        Tape tape, int layer, Variable query, Variable key, Variable value, AttentionConfig config, Weight? sinks) =>
        Attention.Apply(tape, query, key, value, layout, RuleOf(config), sinks);

    private protected override (Tensor Cos, Tensor Sin) AnglesOf(RotaryTables tables) => tables.For(layout);
}
