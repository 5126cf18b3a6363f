using Handbook.Torch;

namespace Handbook.Autograd.Elementary;

/// <summary>Picking, ordering, joining and reshaping small tensors; gradients go back to where the values came from.</summary>
public static class Indexing
{
    /// <summary>Slices of a dimension by index.</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="x">Any shape.</param>
    /// <param name="dim">The dimension.</param>
    /// <param name="index">int64 [n]; an index may occur more than once.</param>
    public static Variable IndexSelect(this Tape tape, Variable x, int dim, Tensor index) =>
        tape.Record(x.Value.IndexSelect(dim, index), [x], [index], (gradient, saved) => x.Accumulate(
            Operator.Call("aten::index_select_backward"u8, default, gradient, x.Value.Shape.ToArray(), (long)dim, saved[0])));

    /// <summary>Rows added up by where they belong, in their order.</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="rows">[N, width].</param>
    /// <param name="owners">int64 [N], each in [0, count).</param>
    /// <param name="count">Rows of the result; one that nothing belongs to is zero.</param>
    public static Variable SumRows(this Tape tape, Variable rows, Tensor owners, long count)
    {
        using var scope = new TensorScope();
        var zeros = Tensor.Zeros([count, rows.Value.Size(1)], rows.Value.DType, rows.Value.Device);
        var index = Operator.Call("aten::expand"u8, default, owners.View(-1, 1), rows.Value.Shape.ToArray(), false);
        var sums = scope.Keep(Operator.Call("aten::scatter_add"u8, default, zeros, 0L, index, rows.Value));
        return tape.Record(sums, [rows], [owners], (gradient, saved) => rows.Accumulate(gradient.IndexSelect(0, saved[0])));
    }

    /// <summary>One element for each index along a dimension (PyTorch's <c>gather</c>).</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="x">Any shape.</param>
    /// <param name="dim">The dimension.</param>
    /// <param name="index">int64 with as many dimensions as x.</param>
    public static Variable Gather(this Tape tape, Variable x, int dim, Tensor index) =>
        tape.Record(Operator.Call("aten::gather"u8, default, x.Value, (long)dim, index, false), [x], [index], (gradient, saved) =>
        {
            var zeros = Tensor.Zeros(x.Value.Shape, gradient.DType, gradient.Device);
            x.Accumulate(Operator.Call("aten::scatter_add"u8, default, zeros, (long)dim, saved[0], gradient));
        });

    /// <summary>Sorted along a dimension; equal values keep their order.</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="x">Any shape.</param>
    /// <param name="dim">The dimension.</param>
    /// <param name="descending">Largest first.</param>
    public static Variable Sort(this Tape tape, Variable x, int dim, bool descending = false)
    {
        var (sorted, order) = Operator.Call2("aten::sort"u8, "stable"u8, x.Value, Value.Some(true), (long)dim, descending);
        using (order)
        {
            return tape.Record(sorted, [x], [order], (gradient, saved) => x.Accumulate(
                Operator.Call("aten::scatter"u8, "src"u8, gradient.Clone(), (long)dim, saved[0], gradient)));
        }
    }

    /// <summary>Tensors one after the other along a dimension.</summary>
    public static Variable Concat(this Tape tape, ReadOnlySpan<Variable> parts, int dim = 0)
    {
        var all = parts.ToArray();
        var value = Operator.Call("aten::cat"u8, default, Array.ConvertAll(all, part => part.Value), (long)dim);
        var sizes = Array.ConvertAll(all, part => part.Value.Size(dim));
        return tape.Record(value, all, [], (gradient, _) =>
        {
            var start = 0L;
            for (var i = 0; i < all.Length; i++)
            {
                all[i].Accumulate(gradient.Narrow(dim, start, sizes[i]).Contiguous());
                start += sizes[i];
            }
        });
    }

    /// <summary>Rows [start, start + length) of a dimension.</summary>
    public static Variable Slice(this Tape tape, Variable x, int dim, long start, long length) =>
        tape.Record(x.Value.Narrow(dim, start, length).Contiguous(), [x], [], (gradient, _) =>
        {
            var whole = Tensor.Zeros(x.Value.Shape, gradient.DType, gradient.Device);
            whole.Narrow(dim, start, length).CopyFrom(gradient);
            x.Accumulate(whole);
        });

    /// <summary>Another shape over the same elements.</summary>
    public static Variable Reshape(this Tape tape, Variable x, params ReadOnlySpan<long> shape) =>
        tape.Record(x.Value.Reshape(shape), [x], [], (gradient, _) => x.Accumulate(gradient.Reshape(x.Value.Shape)));

    /// <summary>A scalar or a stretched dimension repeated to a shape.</summary>
    public static Variable BroadcastTo(this Tape tape, Variable x, params ReadOnlySpan<long> shape) =>
        tape.Record(Operator.Call("aten::expand"u8, default, x.Value, shape.ToArray(), false).Contiguous(), [x], [], (gradient, _) =>
            x.Accumulate(Shapes.ReduceTo(gradient, x.Value)));

    /// <summary>The same value; nothing flows back.</summary>
    public static Variable StopGradient(this Tape tape, Variable x) => tape.Record(x.Value.Alias(), [], [], (_, _) => { });
}
