using Handbook.Autograd.Kernels;
using Handbook.Autograd.Quantization;
using Handbook.Torch;
using static Handbook.Autograd.Tests.GradientCheck;

namespace Handbook.Autograd.Tests;

/// <summary>Codes of few bits: kernels of every width against the operators that define them, and what bitsandbytes is known for.</summary>
[Collection(nameof(ProcessWideSettings))]
public class QuantizedMatrixTests : KernelRoad
{
    public QuantizedMatrixTests()
        : this(16)
    {
    }

    protected QuantizedMatrixTests(int lanes)
        : base(lanes)
    {
    }

    public static TheoryData<string, DType, int, int> Matrices()
    {
        var cases = new TheoryData<string, DType, int, int>();
        foreach (var format in new[] { "nf4", "fp4" })
        {
            foreach (var dtype in new[] { DType.Float32, DType.BFloat16 })
            {
                foreach (var (rows, columns) in new[] { (96, 80), (7, 34), (5, 7), (1, 1), (3, 640), (130, 192) })
                    cases.Add(format, dtype, rows, columns);
            }
        }
        return cases;
    }

    [Theory]
    [MemberData(nameof(Matrices))]
    public void Quantize_GivesTheCodesAndScalesOfThePlainComposition(string format, DType dtype, int rows, int columns)
    {
        using var scope = new TensorScope();
        // Some numbers are powers of two, which lie on bounds between codes, and one block is all zeros.
        var matrix = Awkward(rows, columns).To(dtype);

        using var fused = QuantizedMatrix.Quantize(matrix, Format(format));
        using var plain = Plainly(() => QuantizedMatrix.Quantize(matrix, Format(format)));

        Assert.Equal(plain.Codes.Shape, fused.Codes.Shape);
        Assert.Equal(plain.Codes.ToArray<byte>(), fused.Codes.ToArray<byte>());
        Assert.Equal(plain.Scales.Values.ToArray<float>(), fused.Scales.Values.ToArray<float>());
    }

    [Theory]
    [MemberData(nameof(Matrices))]
    public void Dequantize_GivesTheBitsOfThePlainComposition(string format, DType dtype, int rows, int columns)
    {
        using var scope = new TensorScope();
        foreach (var nested in new[] { false, true })
        {
            using var matrix = QuantizedMatrix.Quantize(Awkward(rows, columns), Format(format), nested);
            Assert.Equal(
                Plainly(() => matrix.Dequantize(dtype)).ToArray<float>(), matrix.Dequantize(dtype).ToArray<float>());
        }
        using var bytes = QuantizedMatrix.Quantize(Awkward(rows, columns), CodeFormat.Int8);
        Assert.Equal(Plainly(() => bytes.Dequantize(dtype)).ToArray<float>(), bytes.Dequantize(dtype).ToArray<float>());
    }

    [Theory]
    [InlineData("nf4", 0.152)]
    [InlineData("fp4", 0.167)]
    [InlineData("int8", 0.0045)]
    public void Dequantize_ComesAsNearAsTheCodesLie(string format, double bound)
    {
        using var scope = new TensorScope();
        var numbers = Normal(new Random(1), 64, 192).To(DType.Float32);
        using var matrix = QuantizedMatrix.Quantize(numbers, Format(format));
        var (exact, found) = (numbers.ToArray<double>(), matrix.Dequantize(DType.Float32).ToArray<double>());
        var blocks = exact.Chunk((int)matrix.BlockSize).Select(block => block.Max(Math.Abs)).ToArray();
        for (var i = 0; i < exact.Length; i++)
            Assert.InRange(Math.Abs(exact[i] - found[i]), 0, bound * blocks[i / matrix.BlockSize] + 1e-6);
    }

    [Fact]
    public void Quantize_WithOneToThreeThreads_GivesTheSameBits()
    {
        using var scope = new TensorScope();
        var before = ParallelWork.ThreadCount;
        try
        {
            var numbers = Normal(new Random(2), 700, 640).To(DType.Float32);
            var found = new[] { 1, 2, 3 }.Select(threads =>
            {
                ParallelWork.ThreadCount = threads;
                using var matrix = QuantizedMatrix.Quantize(numbers, CodeFormat.NormalFloat4, nested: true);
                return (byte[])[.. matrix.Codes.ToArray<byte>(), .. matrix.Scales.Values.ToArray<byte>()];
            }).ToList();
            Assert.All(found, each => Assert.Equal(found[0], each));
        }
        finally
        {
            ParallelWork.ThreadCount = before;
        }
    }

    [Fact]
    public void Float4_HasBitPatternsInOrderAndItsSignOnTop()
    {
        using var scope = new TensorScope();
        float[] numbers = [12, 8, 6, 4, 3, 2, 0.0625f, 0, -0.0625f, -2, -3, -4, -6, -8, -12, 0.01f];
        using var matrix = QuantizedMatrix.Quantize(Tensor.From<float>(numbers, [4, 4]), CodeFormat.Float4);
        Assert.Equal([0x32, 0x54, 0x76, 0x10, 0x9E, 0xFC, 0xDA, 0xB0], matrix.Codes.ToArray<byte>());
    }

    [Fact]
    public void Int8_RoundsToEvenAndKeepsTheLargestOfARow()
    {
        using var scope = new TensorScope();
        using var matrix = QuantizedMatrix.Quantize(
            Tensor.From<float>([127, 0.5f, 1.5f, -2.5f, 0, 0, 0, 0], [2, 4]), CodeFormat.Int8);
        Assert.Equal([127f, 0, 2, -2, 0, 0, 0, 0], matrix.Codes.ToArray<float>());
        Assert.Equal([127f, 0], matrix.Scales.Values.ToArray<float>());
    }

    internal static CodeFormat Format(string name) => name switch
    {
        "nf4" => CodeFormat.NormalFloat4,
        "fp4" => CodeFormat.Float4,
        _ => CodeFormat.Int8,
    };

    private static T Plainly<T>(Func<T> work)
    {
        FusedKernels.Enabled = false;
        try
        {
            return work();
        }
        finally
        {
            FusedKernels.Enabled = true;
        }
    }

    private static Tensor Awkward(int rows, int columns)
    {
        var numbers = Normal(new Random(rows * 1000 + columns), rows, columns).ToArray<float>();
        for (var i = 0; i < numbers.Length; i += 5)
            numbers[i] = MathF.ScaleB(MathF.Sign(numbers[i]), i % 9 - 6);
        if (numbers.Length > 128)
            numbers.AsSpan(64, 64).Clear();
        return Tensor.From<float>(numbers, [rows, columns]);
    }
}

/// <summary>As on processors with AVX2.</summary>
[Collection(nameof(ProcessWideSettings))]
public sealed class QuantizedMatrixOnEightLanesTests() : QuantizedMatrixTests(8);

/// <summary>As on ARM, and on x86 without AVX2.</summary>
[Collection(nameof(ProcessWideSettings))]
public sealed class QuantizedMatrixOnFourLanesTests() : QuantizedMatrixTests(4);
