using Handbook.Torch;

namespace Handbook.Autograd.Quantization;

/// <summary>
/// Numbers as codes of 8 bits by the block, as bitsandbytes keeps the states of an optimizer (Dettmers et al. 2021, arXiv:2110.02861). A
/// code is a place among 256 numbers in [-1, 1], times the block's largest absolute value: 0, 1, and seven decades that share the bits
/// between exponent and fraction (<see cref="DynamicMap"/>, to a rounding). What is below zero never becomes zero or more.
/// </summary>
public sealed class DynamicCodes
{
    /// <summary>Numbers that share a scale.</summary>
    public const int BlockSize = 256;

    /// <summary>Where a decade begins, in its own unit, and how wide it is.</summary>
    internal const float DecadeStart = 0.1f, DecadeWidth = 0.9f;

    private const int Decades = 7;
    private const int MantissaBits = 23;

    private DynamicCodes(bool isSigned)
    {
        (Zero, First) = isSigned ? (127, 0) : (0, 1);
        float[] sizes = [.. Enumerable.Range(0, 256 - Zero - 1).Select(Size), 1];
        Map = [.. sizes[1..(Zero + 1)].Reverse().Select(size => -size), .. sizes];
        Middles = [.. sizes.Zip(sizes.Skip(1), (low, high) => (low + high) / 2)];
        Tables = new Kernels.DynamicCodeTables(this);
    }

    /// <summary>For averages of either sign.</summary>
    public static DynamicCodes Signed { get; } = new(isSigned: true);

    /// <summary>For averages of squares: every decade in twice as many steps.</summary>
    public static DynamicCodes Unsigned { get; } = new(isSigned: false);

    /// <summary>The number of each code, in parts of the scale.</summary>
    internal float[] Map { get; }

    /// <summary>The code of 0: those of numbers below it lie below.</summary>
    internal int Zero { get; }

    /// <summary>What a code's distance from <see cref="Zero"/> is counted from: its power of two is then the decade's.</summary>
    internal int First { get; }

    /// <summary>The middles between neighbouring absolute values: how many of them are less is how far from <see cref="Zero"/> a code
    /// lies.</summary>
    internal float[] Middles { get; }

    /// <summary>The same for kernels.</summary>
    internal Kernels.DynamicCodeTables Tables { get; }

    /// <summary>The numbers that codes stand for, float32 of the codes' shape.</summary>
    /// <param name="codes">uint8.</param>
    /// <param name="scales">float32 [blocks].</param>
    internal Tensor Decode(Tensor codes, Tensor scales)
    {
        using var scope = new TensorScope();
        var numbers = Tensor.From(Map, codes.Device).IndexSelect(0, codes.View(-1).To(DType.Int32));
        var scaled = InBlocks(numbers).Multiply(scales.View(-1, 1));
        return scope.Keep(scaled.View(-1).Narrow(0, 0, codes.ElementCount).View(codes.Shape));
    }

    /// <summary>Writes the codes and scales of numbers.</summary>
    /// <param name="numbers">float32.</param>
    /// <param name="codes">uint8 of the same shape, written.</param>
    /// <param name="scales">float32 [blocks], written: largest absolute values.</param>
    internal void Encode(Tensor numbers, Tensor codes, Tensor scales)
    {
        using var scope = new TensorScope();
        var blocks = InBlocks(numbers.Contiguous().View(-1));
        var sizes = Operator.Call("aten::abs"u8, default, blocks);
        scales.CopyFrom(Operator.Call("aten::amax"u8, default, sizes, new long[] { 1 }, false));
        var least = Tensor.Full([], QuantizedMatrix.LeastScale, DType.Float32, numbers.Device);
        var inverse = Operator.Call("aten::reciprocal"u8, default, Maximum(scales, least));
        var distance = Operator.Call("aten::bucketize"u8, "Tensor"u8, sizes.Multiply(inverse.View(-1, 1)),
            Tensor.From(Middles, numbers.Device), true, false).To(DType.Float32);
        // Below zero there is one number less, and at least one step from it.
        var (one, zero) = (Tensor.Full([], 1, DType.Float32, numbers.Device), Tensor.Full([], Zero, DType.Float32, numbers.Device));
        var steps = Maximum(one, Operator.Call("aten::minimum"u8, default, distance, zero));
        var isBelow = Operator.Call("aten::lt"u8, "Tensor"u8, blocks, Tensor.Zeros([], DType.Float32, numbers.Device));
        var places = Operator.Call("aten::where"u8, "self"u8, isBelow, zero.Subtract(steps), zero.Add(distance));
        codes.CopyFrom(places.View(-1).Narrow(0, 0, numbers.ElementCount).View(numbers.Shape));
    }

    /// <summary>The unit of the decade whose steps are counted by numbers of this power of two; 0 for none.</summary>
    internal float Unit(int power) => power - First is >= 0 and < Decades and var decade ? (float)Math.Pow(10, decade - Decades + 1) : 0;

    /// <summary>
    /// The middle of a step: a decade of 2^n steps is counted from 2^n on, so that a count's float32 has the decade for its exponent and
    /// the part of the decade for its fraction.
    /// </summary>
    private float Size(int distance)
    {
        var count = distance + First + 0.5f;
        var power = (int)(BitConverter.SingleToUInt32Bits(count) >> MantissaBits) - 127;
        var part = count / MathF.Pow(2, power) - 1;
        var inUnit = part * DecadeWidth;
        return (inUnit + DecadeStart) * Unit(power);
    }

    /// <summary>[blocks, 256], with zeros behind the last number.</summary>
    private static Tensor InBlocks(Tensor flat)
    {
        var missing = (BlockSize - flat.ElementCount % BlockSize) % BlockSize;
        var zeros = Tensor.Zeros([missing], flat.DType, flat.Device);
        return Operator.Call("aten::cat"u8, default, new[] { flat, zeros }, 0L).View(-1, BlockSize);
    }

    private static Tensor Maximum(Tensor left, Tensor right) => Operator.Call("aten::maximum"u8, default, left, right);
}
