using Handbook.Autograd.Kernels;
using Handbook.Torch;

namespace Handbook.Autograd.Quantization;

/// <summary>
/// The largest absolute value of each block: float32 numbers, or 8-bit codes of them in groups (double quantisation, section 3 of
/// arXiv:2305.14314).
/// </summary>
public sealed class BlockScales : IDisposable
{
    private const int UsualGroup = 256;

    /// <summary>Takes tensors over.</summary>
    /// <param name="values">float32 [blocks], or uint8 [blocks] codes.</param>
    /// <param name="nested">How codes become numbers; null for float32 values.</param>
    public BlockScales(Tensor values, NestedScales? nested = null) => (Values, Nested) = (TensorScope.Detach(values), nested);

    /// <summary>float32 [blocks], or uint8 [blocks] codes.</summary>
    public Tensor Values { get; }

    /// <summary>How codes become numbers; null for float32 values.</summary>
    public NestedScales? Nested { get; }

    /// <summary>Bytes in memory.</summary>
    public long ByteCount => Values.ByteCount + (Nested is null ? 0 : Nested.Scales.ByteCount + Nested.Map.ByteCount);

    /// <summary>Quantises largest absolute values: less their mean, by groups of 256, with codes of <see cref="DynamicMap"/>.</summary>
    /// <param name="absmax">float32 [blocks].</param>
    public static BlockScales Quantize(Tensor absmax)
    {
        using var scope = new TensorScope();
        var numbers = absmax.Read<float>(DeviceWait.Weights);
        // In float64 and in order: the same on every machine and for any number of threads.
        var offset = (float)(numbers.Sum(number => (double)number) / Math.Max(1, numbers.Length));
        var codes = new byte[numbers.Length];
        var scales = new float[(numbers.Length + UsualGroup - 1) / UsualGroup];
        ParallelWork.For(scales.Length, 1, (begin, end) =>
        {
            for (var group = begin; group < end; group++)
            {
                var first = (int)group * UsualGroup;
                var count = Math.Min(UsualGroup, numbers.Length - first);
                scales[group] = Quantize(numbers.AsSpan(first, count), offset, codes.AsSpan(first, count));
            }
        });
        var device = absmax.Device;
        var map = Tensor.From(DynamicMap.Signed.ToArray(), device);
        var nested = new NestedScales(TensorScope.Detach(Tensor.From(scales, device)), TensorScope.Detach(map), offset, UsualGroup);
        return new BlockScales(Tensor.From(codes, device), nested);
    }

    /// <summary>The numbers, float32 [blocks].</summary>
    public Tensor Dequantize()
    {
        using var scope = new TensorScope();
        if (Nested is not { } nested)
            return scope.Keep(Values.Alias());
        var numbers = nested.Map.IndexSelect(0, Values.To(DType.Int64));
        var groups = Operator.Call(
            "aten::repeat_interleave"u8, "self_int"u8, nested.Scales, (long)nested.GroupSize, Value.None, Value.None);
        return scope.Keep(numbers.Multiply(groups.Narrow(0, 0, Values.ElementCount)).Add(nested.Offset));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Values.Dispose();
        Nested?.Scales.Dispose();
        Nested?.Map.Dispose();
    }

    internal ScaleReader Reader => new(this);

    private static float Quantize(ReadOnlySpan<float> numbers, float offset, Span<byte> codes)
    {
        var largest = 0f;
        foreach (var number in numbers)
            largest = Math.Max(largest, Math.Abs(number - offset));
        var inverse = 1 / Math.Max(largest, QuantizedMatrix.LeastScale);
        for (var i = 0; i < codes.Length; i++)
        {
            // The first middle that is not less.
            var place = Array.BinarySearch(DynamicMap.Middles, (numbers[i] - offset) * inverse);
            codes[i] = (byte)(place < 0 ? ~place : place);
        }
        return largest;
    }
}

/// <summary>How 8-bit codes of scales become numbers: map[code] · scale of the group + offset.</summary>
/// <param name="Scales">float32 [groups].</param>
/// <param name="Map">float32 [256].</param>
/// <param name="Offset">Added to all.</param>
/// <param name="GroupSize">Blocks of a group.</param>
public sealed record NestedScales(Tensor Scales, Tensor Map, float Offset, int GroupSize);
