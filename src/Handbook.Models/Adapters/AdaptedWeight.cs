using Handbook.Autograd;
using Handbook.Models.Weights;
using Handbook.Torch;

namespace Handbook.Models.Adapters;

/// <summary>What an adapter does to one weight of a model.</summary>
/// <param name="Slot">Where the weight stands.</param>
/// <param name="Inner">The weight that stood there before.</param>
/// <param name="Weight">The weight with the adapter around it.</param>
/// <param name="Leaves">What is trained: a copy of the whole; or A and B, with lengths of rows after them where they are trained.</param>
internal sealed record AdaptedWeight(WeightSlot Slot, Weight Inner, Weight Weight, IReadOnlyList<Parameter> Leaves)
{
    /// <summary>What the delta is multiplied with.</summary>
    internal double Scale { get; init; }

    /// <summary>The rows of B that are this weight's; null for all.</summary>
    internal (long First, long Count)? Rows { get; init; }

    /// <summary>A and B that were taken out of the weight when the adapter began; null for none.</summary>
    internal (Parameter Down, Parameter Up)? Taken { get; init; }

    /// <summary>The weight as one tensor.</summary>
    /// <param name="weight">The weight before.</param>
    /// <param name="value">Gives a leaf in the type of <paramref name="weight"/>.</param>
    internal Tensor Merged(Tensor weight, Func<Parameter, Tensor> value)
    {
        if (Leaves is [var whole])
            return value(whole);
        var up = value(Leaves[1]);
        if (Rows is var (first, count))
            up = up.Narrow(-2, first, count);
        var sum = weight.Add(up.MatMul(value(Leaves[0])).Multiply(Scale));
        if (Taken is var (down, other))
            sum = sum.Subtract(other.Value.To(sum.DType).MatMul(down.Value.To(sum.DType)).Multiply(Scale));
        return Leaves.Count == 2 ? sum
            : sum.Multiply(value(Leaves[2]).Divide(DecomposedWeight.RowNorms(sum)).View([.. sum.Shape[..^1], 1]));
    }
}
