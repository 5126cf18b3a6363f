using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>Rows of a table picked by token id.</summary>
public static class Embedding
{
    /// <summary>Looks tokens up.</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="ids">int64 [N], each in [0, V).</param>
    /// <param name="weight">[V, C].</param>
    /// <returns>[N, C].</returns>
    public static Variable Apply(Tape tape, Tensor ids, Variable weight) =>
        tape.Record(weight.Value.IndexSelect(0, ids), [weight], [ids], (gradient, saved) =>
            weight.Accumulate(PlainBackward(gradient, saved[0], weight.Value)));

    /// <summary>Rows of one token are summed in float32, in the order of their positions.</summary>
    internal static Tensor PlainBackward(Tensor gradient, Tensor ids, Tensor weight)
    {
        using var scope = new TensorScope();
        var sum = Operator.Call("aten::index_select_backward"u8, default, gradient.To(Shapes.SumType(gradient)), weight.Shape.ToArray(), 0L, ids);
        return scope.Keep(sum.To(weight.DType));
    }
}
