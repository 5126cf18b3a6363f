using Handbook.Torch;

namespace Handbook.Models.Weights;

/// <summary>
/// How a weight of a model stands in a checkpoint: under which names, and turned or cut how. It works both ways, so that loading,
/// saving, master copies and gradients all go through the same mapping.
/// </summary>
public abstract partial record StoredForm
{
    private StoredForm() { }

    /// <summary>The names and shapes that a weight has in files.</summary>
    /// <param name="name">The weight's name.</param>
    /// <param name="shape">The weight's shape.</param>
    public abstract IReadOnlyList<(string Name, long[] Shape)> Entries(string name, ReadOnlySpan<long> shape);

    /// <summary>The weight from the tensors of the files, in the order of <see cref="Entries"/>.</summary>
    public abstract Tensor Join(IReadOnlyList<Tensor> stored);

    /// <summary>What the files hold of a weight, in the order of <see cref="Entries"/>. The tensors belong to the current scope.</summary>
    public abstract IReadOnlyList<Tensor> Split(Tensor weight);

    /// <summary>One tensor, as it is.</summary>
    public sealed record Same : StoredForm
    {
        /// <summary>The only instance that is needed.</summary>
        public static Same Instance { get; } = new();

        /// <inheritdoc/>
        public override IReadOnlyList<(string Name, long[] Shape)> Entries(string name, ReadOnlySpan<long> shape) =>
            [(name, shape.ToArray())];

        /// <inheritdoc/>
        public override Tensor Join(IReadOnlyList<Tensor> stored) => stored[0];

        /// <inheritdoc/>
        public override IReadOnlyList<Tensor> Split(Tensor weight) => [weight];
    }

    /// <summary>
    /// One tensor [inputs, outputs], as GPT-2's <c>Conv1D</c> stores a linear layer; [experts, inputs, outputs] of experts.
    /// </summary>
    public sealed record Transposed : StoredForm
    {
        /// <summary>The only instance that is needed.</summary>
        public static Transposed Instance { get; } = new();

        /// <inheritdoc/>
        public override IReadOnlyList<(string Name, long[] Shape)> Entries(string name, ReadOnlySpan<long> shape) =>
            [(name, [.. shape[..^2], shape[^1], shape[^2]])];

        /// <inheritdoc/>
        public override Tensor Join(IReadOnlyList<Tensor> stored) => stored[0].Transpose(-2, -1).Contiguous();

        /// <inheritdoc/>
        public override IReadOnlyList<Tensor> Split(Tensor weight) => [weight.Transpose(-2, -1)];
    }

    /// <summary>One tensor for each slice of the first dimension, such as an expert;
    /// the <c>*</c> in the weight's name stands for its number.</summary>
    public sealed record Stacked : StoredForm
    {
        /// <summary>The only instance that is needed.</summary>
        public static Stacked Instance { get; } = new();

        /// <inheritdoc/>
        public override IReadOnlyList<(string Name, long[] Shape)> Entries(string name, ReadOnlySpan<long> shape)
        {
            var entries = new (string, long[])[shape[0]];
            for (var i = 0; i < entries.Length; i++)
                entries[i] = (name.Replace("*", i.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal),
                    shape[1..].ToArray());
            return entries;
        }

        /// <inheritdoc/>
        public override Tensor Join(IReadOnlyList<Tensor> stored) => Operator.Call("aten::stack"u8, default, stored.ToArray(), 0L);

        /// <inheritdoc/>
        public override IReadOnlyList<Tensor> Split(Tensor weight)
        {
            var slices = new Tensor[weight.Size(0)];
            for (var i = 0; i < slices.Length; i++)
                slices[i] = weight.Select(0, i);
            return slices;
        }
    }
}
