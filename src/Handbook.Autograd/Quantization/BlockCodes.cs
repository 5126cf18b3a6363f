using Handbook.Torch;

namespace Handbook.Autograd.Quantization;

/// <summary>Quantisation by blocks as operators of tensors: what defines it, and any device.</summary>
internal static class BlockCodes
{
    /// <summary>Codes and the largest absolute value of each block.</summary>
    internal static (Tensor Codes, Tensor Scales) Quantize(Tensor matrix, CodeFormat format, int blockSize)
    {
        using var scope = new TensorScope();
        var count = matrix.ElementCount;
        var blocks = (count + blockSize - 1) / blockSize;
        var numbers = Tensor.Zeros([blocks * blockSize], DType.Float32, matrix.Device);
        numbers.Narrow(0, 0, count).CopyFrom(matrix.Reshape(count));
        numbers = numbers.View(blocks, blockSize);
        var scales = Operator.Call("aten::amax"u8, default, Absolute(numbers), new[] { 1L }, true);
        var scaled = numbers.Multiply(Operator.Call("aten::reciprocal"u8, default, AtLeast(scales)));
        var codes = Codes(scaled, format).View(-1, 2).Narrow(0, 0, (count + 1) / 2);
        var packed = codes.Narrow(1, 0, 1).Times(16).Plus(codes.Narrow(1, 1, 1)).To(DType.UInt8);
        return (scope.Keep(packed), scope.Keep(scales.View(blocks).Clone()));
    }

    /// <summary>Each code's number times its block's scale.</summary>
    internal static Tensor Dequantize(QuantizedMatrix matrix, DType dtype)
    {
        using var scope = new TensorScope();
        var count = matrix.Size(0) * matrix.Size(1);
        var scales = matrix.Scales.Dequantize();
        if (matrix.Format.Bits == 8)
            return scope.Keep(matrix.Codes.To(DType.Float32).Multiply(scales.View(-1, 1)).Multiply(QuantizedMatrix.ByteUnit).To(dtype));
        var bytes = matrix.Codes.View(-1).To(DType.Int64);
        var places = Operator.Call("aten::stack"u8, default, new[] { bytes.ShiftedRight(4), bytes.And(15) }, 1L).View(-1);
        var wide = Operator.Call("aten::repeat_interleave"u8, "self_int"u8, scales, matrix.BlockSize, Value.None, Value.None);
        var numbers = matrix.Table!.IndexSelect(0, places).Narrow(0, 0, count).Multiply(wide.Narrow(0, 0, count));
        return scope.Keep(numbers.View(matrix.Shape).To(dtype));
    }

    /// <summary>A code for each number in [-1, 1], in int64.</summary>
    private static Tensor Codes(Tensor scaled, CodeFormat format)
    {
        var middles = Tensor.From(format.Middles, scaled.Device);
        var order = Tensor.From(Array.ConvertAll(format.Order, code => (long)code), scaled.Device);
        var places = Operator.Call(
            "aten::bucketize"u8, "Tensor"u8, format.HasSign ? Absolute(scaled) : scaled, middles, false, false);
        if (format.HasSign)
        {
            var isNegative = Operator.Call("aten::lt"u8, "Tensor"u8, scaled, Tensor.Zeros([], DType.Float32, scaled.Device));
            places = places.Plus(isNegative.To(DType.Int64).Times(8));
        }
        return order.IndexSelect(0, places.Reshape(scaled.ElementCount));
    }

    /// <summary>Scales that something may be divided by.</summary>
    internal static Tensor AtLeast(Tensor scales) => Operator.Call(
        "aten::maximum"u8, default, scales, Tensor.Full([], QuantizedMatrix.LeastScale, DType.Float32, scales.Device));

    private static Tensor Absolute(Tensor numbers) => Operator.Call("aten::abs"u8, default, numbers);
}
