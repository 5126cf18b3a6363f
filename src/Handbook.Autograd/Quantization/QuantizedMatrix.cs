using Handbook.Autograd.Kernels;
using Handbook.Torch;

namespace Handbook.Autograd.Quantization;

/// <summary>A matrix [out, in] in codes of few bits with a scale for each block: what bitsandbytes makes of it, bit for bit.</summary>
public sealed class QuantizedMatrix : MatrixOperand, IDisposable
{
    /// <summary>Elements of a block of 4-bit codes.</summary>
    public const int UsualBlock = 64;

    /// <summary>Below this a block's scale is not inverted.</summary>
    internal const float LeastScale = 1e-38f;

    /// <summary>What an 8-bit code counts, in units of its row's scale: 1 / 127.</summary>
    internal const float ByteUnit = 7.874015718698502e-3f;

    private const long ElementsAtOnce = 1 << 20;
    private readonly long[] shape;

    /// <summary>Takes tensors over.</summary>
    /// <param name="format">What the codes are.</param>
    /// <param name="shape">[out, in].</param>
    /// <param name="codes">4 bits: uint8, two codes a byte, the first in the upper half. 8 bits: int8 [out, in].</param>
    /// <param name="scales">A scale for each block.</param>
    /// <param name="blockSize">Elements of a block, counted row after row; even.</param>
    /// <param name="table">float32 [16], the numbers of 4-bit codes; null takes the format's.</param>
    public QuantizedMatrix(
        CodeFormat format, ReadOnlySpan<long> shape, Tensor codes, BlockScales scales, long blockSize, Tensor? table = null)
    {
        (Format, this.shape, Scales, BlockSize) = (format, shape.ToArray(), scales, blockSize);
        Codes = TensorScope.Detach(codes);
        if (format.Bits == 4)
            Table = TensorScope.Detach(table ?? Tensor.From(format.Table.ToArray(), codes.Device));
    }

    /// <summary>What the codes are.</summary>
    public CodeFormat Format { get; }

    /// <summary>4 bits: uint8, two codes a byte, the first in the upper half. 8 bits: int8 [out, in].</summary>
    public Tensor Codes { get; }

    /// <summary>A scale for each block.</summary>
    public BlockScales Scales { get; }

    /// <summary>Elements of a block.</summary>
    public long BlockSize { get; }

    /// <summary>float32 [16], the numbers of 4-bit codes; null for 8 bits.</summary>
    public Tensor? Table { get; }

    /// <summary>Element type of what was quantised, which checkpoints say.</summary>
    public DType SourceDType { get; init; } = DType.Float32;

    /// <inheritdoc/>
    public override ReadOnlySpan<long> Shape => shape;

    /// <inheritdoc/>
    public override Device Device => Codes.Device;

    /// <summary>Bytes in memory.</summary>
    public long ByteCount => Codes.ByteCount + Scales.ByteCount + (Table?.ByteCount ?? 0);

    /// <summary>Bytes that a matrix takes in codes, without the tables that all matrices of a format share in size.</summary>
    /// <param name="elements">Its elements.</param>
    /// <param name="rows">Its rows.</param>
    /// <param name="format">What the codes are.</param>
    /// <param name="nested">Whether the scales are quantised too.</param>
    public static long ByteCountOf(long elements, long rows, CodeFormat format, bool nested) =>
        elements * format.Bits / 8 + (format.Bits == 8 ? rows * sizeof(float) : elements / UsualBlock * (nested ? 1 : sizeof(float)));

    internal override bool IsQuantized => true;

    internal override WeightPanels Panels => new QuantizedPanels(this);

    internal CodeReader Reader => new(this);

    /// <summary>Quantises a matrix.</summary>
    /// <param name="matrix">[out, in], finite.</param>
    /// <param name="format">What the codes are.</param>
    /// <param name="nested">Whether the scales are quantised too; 8-bit rows keep theirs.</param>
    public static QuantizedMatrix Quantize(Tensor matrix, CodeFormat format, bool nested = false)
    {
        using var scope = new TensorScope();
        if (format.Bits == 8)
            return QuantizeRows(matrix, format);
        var (codes, scales) = KernelTable.Runs(Operation.Quantization, matrix)
            ? CodeWriter.Quantize(matrix, format, UsualBlock)
            : BlockCodes.Quantize(matrix, format, UsualBlock);
        var blockScales = nested ? BlockScales.Quantize(scales) : new BlockScales(scales);
        return new QuantizedMatrix(format, matrix.Shape, codes, blockScales, UsualBlock) { SourceDType = matrix.DType };
    }

    /// <summary>The same codes on a device: this one where they lie there already, else this one is freed.</summary>
    public QuantizedMatrix To(Device device)
    {
        if (device.Kind == Device.Kind)
            return this;
        using var scope = new TensorScope();
        var nested = Scales.Nested is not { } here ? null : here with
        {
            Scales = TensorScope.Detach(here.Scales.To(device)), Map = TensorScope.Detach(here.Map.To(device)),
        };
        var moved = new QuantizedMatrix(
            Format, shape, Codes.To(device), new BlockScales(Scales.Values.To(device), nested), BlockSize, Table?.To(device))
        {
            SourceDType = SourceDType,
        };
        Dispose();
        return moved;
    }

    /// <summary>The numbers, [out, in], each scaled in float32 and rounded once.</summary>
    public Tensor Dequantize(DType dtype) => KernelTable.Of(Operation.Quantization, Device.Kind, dtype) == Implementation.Plain
        ? BlockCodes.Dequantize(this, dtype)
        : CodeReader.ToTensor(this, dtype);

    /// <inheritdoc/>
    public override MatrixOperand Select(int part) => throw new InvalidOperationException("One matrix is no stack.");

    /// <inheritdoc/>
    public override Tensor ToTensor(DType dtype) => Dequantize(dtype);

    /// <inheritdoc/>
    public void Dispose()
    {
        Codes.Dispose();
        Table?.Dispose();
        Scales.Dispose();
    }

    internal override bool Fits(DType rows) => KernelTable.Of(Operation.QuantizedLinear, Device.Kind, rows) != Implementation.Plain;

    // By way of float16, as LLM.int8 does; some rows at a time, so that what is wide stays small.
    private static QuantizedMatrix QuantizeRows(Tensor matrix, CodeFormat format)
    {
        var (rows, columns) = (matrix.Size(0), matrix.Size(1));
        var codes = Tensor.Empty([rows, columns], DType.Int8, matrix.Device);
        var scales = Tensor.Empty([rows], DType.Float32, matrix.Device);
        var step = Math.Max(1, ElementsAtOnce / Math.Max(1, columns));
        for (var first = 0L; first < rows; first += step)
        {
            using var scope = new TensorScope();
            var count = Math.Min(step, rows - first);
            var numbers = matrix.Narrow(0, first, count).To(DType.Float16).To(DType.Float32);
            var largest = Operator.Call("aten::amax"u8, default, Operator.Call("aten::abs"u8, default, numbers), new[] { 1L }, true);
            // 127 / largest, rounded once.
            var factor = Tensor.Full([], 127, DType.Float32, matrix.Device).Divide(BlockCodes.AtLeast(largest));
            codes.Narrow(0, first, count).CopyFrom(Operator.Call("aten::round"u8, default, numbers.Multiply(factor)));
            scales.Narrow(0, first, count).CopyFrom(largest.View(count));
        }
        return new QuantizedMatrix(format, matrix.Shape, codes, new BlockScales(scales), columns);
    }
}
