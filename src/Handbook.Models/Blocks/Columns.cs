using Handbook.Autograd;
using Handbook.Torch;

namespace Handbook.Models.Blocks;

/// <summary>Parts of what one matrix made: query, key and value, or gate and up.</summary>
internal static class Columns
{
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
