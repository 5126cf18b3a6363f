using Handbook.Autograd;

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

    /// <summary>Another shape over the same elements.</summary>
    internal static Variable View(Tape tape, Variable input, params long[] shape)
    {
        var original = input.Value.Shape.ToArray();
        return tape.Record(input.Value.Reshape(shape), [input], [], (gradient, _) => input.Accumulate(gradient.Reshape(original)));
    }
}
