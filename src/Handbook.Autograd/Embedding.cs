using Handbook.Autograd.Kernels;
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
    public static Variable Apply(Tape tape, Tensor ids, Weight weight) => weight.LookUp(tape, ids);

    /// <summary>Looks tokens up in a table that is leased as one tensor.</summary>
    internal static Variable OfTable(Tape tape, Tensor ids, Weight weight)
    {
        using var table = weight.Lease();
        var fused = KernelTable.Runs(Operation.Embedding, table.Value) && table.Value.DimensionCount == 2
            && ids is { IsCpu: true, DType: DType.Int64, IsContiguous: true };
        var value = fused ? EmbeddingKernel.Forward(ids, table.Value) : table.Value.IndexSelect(0, ids);
        return tape.Record(value, [], [ids], (gradient, saved) =>
        {
            if (weight.Gradient is not { } sink)
                return;
            if (!fused || !KernelTable.Runs(Operation.Embedding, gradient))
                sink.Add(PlainBackward(gradient, saved[0], weight.Shape, weight.DType));
            else if (sink.Sum is { } sum)
                EmbeddingKernel.AddRows(gradient, saved[0], sum);
            else
                sink.Add(EmbeddingKernel.Backward(gradient, saved[0], weight.Shape, weight.DType));
        }, [weight]);
    }

    /// <summary>Rows of one token are summed in float32, in the order of their positions.</summary>
    internal static Tensor PlainBackward(Tensor gradient, Tensor ids, ReadOnlySpan<long> shape, DType dtype)
    {
        using var scope = new TensorScope();
        var sum = Operator.Call("aten::index_select_backward"u8, default, gradient.To(Shapes.SumType(gradient)), shape.ToArray(), 0L, ids);
        return scope.Keep(sum.To(dtype));
    }
}
