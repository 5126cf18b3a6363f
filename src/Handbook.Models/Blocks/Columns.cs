using Handbook.Autograd;
using Handbook.Torch;

namespace Handbook.Models.Blocks;

/// <summary>Parts of what one matrix made: query, key and value, or gate and up.</summary>
internal static class Columns
{
    /// <summary>[tokens, 2 * width] whose columns take turns as two parts, [tokens, width] each.</summary>
    internal static Variable[] Unmix(Tape tape, Variable features)
    {
        var pairs = features.Value.Size(1) / 2;
        using var scope = new TensorScope();
        var both = features.Value.Reshape(-1, pairs, 2);
        Tensor[] parts = [scope.Keep(both.Select(2, 0).Contiguous()), scope.Keep(both.Select(2, 1).Contiguous())];
        return tape.Record(parts, [features], [], (gradients, _) =>
        {
            var present = Array.Find(gradients, gradient => gradient is not null)!;
            var joined = gradients.Select(gradient => gradient ?? Tensor.Zeros(present.Shape, present.DType, present.Device)).ToArray();
            features.Accumulate(Operator.Call("aten::stack"u8, default, joined, -1L).Reshape(-1, 2 * pairs));
        });
    }

    /// <summary>[tokens, sum of widths] as one [tokens, width] each; their gradients are joined in one tensor again.</summary>
    internal static Variable[] Split(Tape tape, Variable features, ReadOnlySpan<long> widths)
    {
        var all = widths.ToArray();
        var parts = new Tensor[all.Length];
        var start = 0L;
        for (var i = 0; i < parts.Length; i++)
        {
            using var view = features.Value.Narrow(1, start, all[i]);
            parts[i] = view.Contiguous();
            start += all[i];
        }
        return tape.Record(parts, [features], [], (gradients, _) =>
        {
            var present = Array.Find(gradients, gradient => gradient is not null)!;
            var joined = gradients.Select(
                (gradient, i) => gradient ?? Tensor.Zeros([present.Size(0), all[i]], present.DType, present.Device)).ToArray();
            features.Accumulate(Operator.Call("aten::cat"u8, default, joined, 1L));
        });
    }
}
