using Handbook.Autograd;
using Handbook.Torch;

namespace Handbook.Models.Blocks;

/// <summary>Two views of the same numbers: a row of features, and heads of features.</summary>
internal static class Heads
{
    /// <summary>[tokens, heads * headDim] as [tokens, heads, headDim].</summary>
    internal static Variable Split(Tape tape, Variable features, int heads) =>
        View(tape, features, features.Value.Size(0), heads, features.Value.Size(1) / heads);

    /// <summary>[tokens, heads, headDim] as [tokens, heads * headDim].</summary>
    internal static Variable Join(Tape tape, Variable heads) =>
        View(tape, heads, heads.Value.Size(0), heads.Value.Size(1) * heads.Value.Size(2));

    /// <summary>
    /// [tokens, heads, headDim] with elements 2i of a head in front of elements 2i + 1, where the rotary embedding expects what it turns
    /// together. Products of queries and keys do not tell the order, as long as both have it.
    /// </summary>
    internal static Variable NeighboursApart(Tape tape, Variable heads)
    {
        var half = heads.Value.Size(2) / 2;
        return tape.Record(Exchanged(heads.Value, half, 2), [heads], [], (gradient, _) => heads.Accumulate(Exchanged(gradient, 2, half)));
    }

    private static Tensor Exchanged(Tensor heads, long rows, long columns)
    {
        using var scope = new TensorScope();
        long[] shape = [.. heads.Shape];
        return scope.Keep(heads.Reshape(shape[0], shape[1], rows, columns).Transpose(2, 3).Contiguous().Reshape(shape));
    }

    /// <summary>Another shape over the same elements.</summary>
    internal static Variable View(Tape tape, Variable input, params long[] shape)
    {
        var original = input.Value.Shape.ToArray();
        return tape.Record(input.Value.Reshape(shape), [input], [], (gradient, _) => input.Accumulate(gradient.Reshape(original)));
    }
}
