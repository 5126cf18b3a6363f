using Handbook.Autograd.Kernels;
using Handbook.Autograd.Quantization;
using Handbook.Torch;
using static Handbook.Autograd.Tests.GradientCheck;

namespace Handbook.Autograd.Tests;

/// <summary>Products that read codes on their way equal products with the matrix that the codes stand for.</summary>
[Collection(nameof(ProcessWideSettings))]
public class QuantizedWeightTests : KernelRoad
{
    public QuantizedWeightTests()
        : this(16)
    {
    }

    protected QuantizedWeightTests(int lanes)
        : base(lanes)
    {
    }

    public static TheoryData<string, DType, int, int, int> Products()
    {
        var cases = new TheoryData<string, DType, int, int, int>();
        foreach (var format in new[] { "nf4", "fp4", "int8" })
        {
            foreach (var dtype in new[] { DType.Float32, DType.BFloat16 })
            {
                cases.Add(format, dtype, 3, 34, 82);
                cases.Add(format, dtype, 77, 402, 130);
                cases.Add(format, dtype, 301, 98, 1602);
                cases.Add(format, dtype, 40, 7, 33);
            }
        }
        return cases;
    }

    [Theory]
    [MemberData(nameof(Products))]
    public void Product_AndInputGradient_EqualThoseOfTheDenseMatrix(string format, DType dtype, int rows, int outputs, int inputs)
    {
        using var scope = new TensorScope();
        var random = new Random(rows);
        var numbers = Normal(random, outputs, inputs).Multiply(0.1).To(dtype);
        var input = Normal(random, rows, inputs).To(dtype);
        var direction = Normal(random, rows, outputs).To(dtype);
        var bias = new Parameter("b", Normal(random, outputs).To(dtype));
        using var quantized = Quantized(numbers, format, dtype);
        var dense = new Parameter("w", quantized.Parts[0].Dequantize(dtype), requiresGrad: false);

        var (found, gradient) = Run(quantized);
        var (expected, expectedGradient) = Run(dense);

        // In bfloat16 the kernel is one and the same; in float32 the dense product is libtorch's.
        var exact = dtype == DType.BFloat16 && rows >= 32 && outputs % 2 == 0 && inputs % 2 == 0;
        var tolerance = exact ? 0 : dtype == DType.BFloat16 ? 8e-3 : 2e-6;
        AssertClose(expected, found, tolerance, "product");
        AssertClose(expectedGradient, gradient, tolerance, "gradient");

        (Tensor, Tensor) Run(Weight weight)
        {
            using var tape = new Tape();
            var x = new Variable(input, requiresGrad: true);
            var y = Linear.Apply(tape, x, weight, bias);
            tape.Backward(y, direction.Clone());
            bias.ZeroGrad();
            return (y.Value.Clone(), x.Grad!.Clone());
        }
    }

    [Theory]
    [InlineData("nf4", DType.BFloat16)]
    [InlineData("int8", DType.BFloat16)]
    [InlineData("nf4", DType.Float32)]
    public void RowProduct_GivesTheBitsOfTheDenseMatrixForAnyNumberOfRows(string format, DType dtype)
    {
        using var scope = new TensorScope();
        var random = new Random(5);
        var input = Normal(random, 35, 98).To(dtype);
        using var matrix = QuantizedMatrix.Quantize(Normal(random, 131, 98).To(dtype), QuantizedMatrixTests.Format(format), nested: true);
        var dense = matrix.Dequantize(dtype);
        var all = RowProduct.Apply(input, matrix, null).ToArray<float>();
        Assert.Equal(RowProduct.Apply(input, dense, null).ToArray<float>(), all);
        Assert.Equal(all[..(131 * 3)], RowProduct.Apply(input.Narrow(0, 0, 3), matrix, null).ToArray<float>());
    }

    [Theory]
    [InlineData(DType.Float32, 2e-6)]
    [InlineData(DType.BFloat16, 8e-3)]
    public void LowRankWeight_OverCodes_EqualsOneOverTheirMatrix(DType dtype, double tolerance)
    {
        using var scope = new TensorScope();
        var random = new Random(6);
        var input = Normal(random, 65, 96).To(dtype);
        var direction = Normal(random, 65, 64).To(dtype);
        using var quantized = Quantized(Normal(random, 64, 96).Multiply(0.1).To(dtype), "nf4", dtype);
        var dense = new Parameter("w", quantized.Parts[0].Dequantize(dtype), requiresGrad: false);
        var (down, up) = (new Parameter("a", Normal(random, 8, 96).To(dtype)), new Parameter("b", Normal(random, 64, 8).To(dtype)));

        var (found, expected) = (Run(quantized), Run(dense));

        for (var i = 0; i < expected.Length; i++)
            AssertClose(expected[i], found[i], tolerance, $"tensor {i}");

        Tensor[] Run(Weight inner)
        {
            using var tape = new Tape();
            var x = new Variable(input, requiresGrad: true);
            var y = Linear.Apply(tape, x, new LowRankWeight(inner, down, up, 2, new AdapterSwitch()));
            tape.Backward(y, direction.Clone());
            Tensor[] made = [y.Value.Clone(), x.Grad!.Clone(), down.Grad!.Clone(), up.Grad!.Clone()];
            down.ZeroGrad();
            up.ZeroGrad();
            return made;
        }
    }

    [Theory]
    [InlineData(DType.Float32, 2e-6)]
    [InlineData(DType.BFloat16, 8e-3)]
    public void GroupedProduct_OfAStackOfCodes_EqualsThatOfTheDenseStack(DType dtype, double tolerance)
    {
        using var scope = new TensorScope();
        var random = new Random(7);
        var parts = Enumerable.Range(0, 4)
            .Select(_ => QuantizedMatrix.Quantize(Normal(random, 34, 66).To(dtype), CodeFormat.NormalFloat4, nested: true)).ToList();
        using var stack = new QuantizedWeight("experts", parts, dtype);
        Assert.Equal([4, 34, 66], stack.Shape);
        using var lease = stack.Lease();
        var dense = new Parameter("w", lease.Value.Clone(), requiresGrad: false);
        using var experts = new ExpertRows(Tensor.From([.. Enumerable.Range(0, 160).Select(_ => (long)random.Next(3))], [80, 2]), 4);
        var input = Normal(random, 160, 66).To(dtype);
        var direction = Normal(random, 160, 34).To(dtype);

        var (found, expected) = (Run(stack), Run(dense));

        AssertClose(expected.Value, found.Value, tolerance, "product");
        AssertClose(expected.Gradient, found.Gradient, tolerance, "gradient");

        (Tensor Value, Tensor Gradient) Run(Weight weights)
        {
            using var tape = new Tape();
            var x = new Variable(input, requiresGrad: true);
            var y = GroupedLinear.Apply(tape, x, experts, weights);
            tape.Backward(y, direction.Clone());
            return (y.Value.Clone(), x.Grad!.Clone());
        }
    }

    [Fact]
    public void Codes_StayAsTheyAreAndLeaveNoTensorBehind()
    {
        using var scope = new TensorScope();
        var random = new Random(8);
        using var weight = Quantized(Normal(random, 64, 96).To(DType.BFloat16), "nf4", DType.BFloat16);
        var (codes, scales) = (weight.Parts[0].Codes.ToArray<byte>(), weight.Parts[0].Scales.Values.ToArray<byte>());
        var input = Normal(random, 40, 96).To(DType.BFloat16);
        Assert.Equal(0, LiveTensors.Growth(() =>
        {
            using var tape = new Tape();
            var x = new Variable(input.Alias(), requiresGrad: true);
            tape.Backward(Linear.Apply(tape, x, weight), Tensor.Full([40, 64], 1, DType.BFloat16));
            x.Grad!.Dispose();
            weight.Lease().Dispose();
        }));
        Assert.False(weight.RequiresGrad);
        Assert.Empty(weight.Parameters);
        Assert.Equal(codes, weight.Parts[0].Codes.ToArray<byte>());
        Assert.Equal(scales, weight.Parts[0].Scales.Values.ToArray<byte>());
        Assert.Equal(0, LiveTensors.Growth(() => Quantized(input, "nf4", DType.BFloat16).Dispose()));
    }

    private static QuantizedWeight Quantized(Tensor numbers, string format, DType dtype) =>
        new("w", QuantizedMatrix.Quantize(numbers, QuantizedMatrixTests.Format(format), nested: true), dtype);
}

/// <summary>As on processors with AVX2, whose bfloat16 is widened in the cache.</summary>
[Collection(nameof(ProcessWideSettings))]
public sealed class QuantizedWeightOnEightLanesTests() : QuantizedWeightTests(8);

/// <summary>As on ARM, and on x86 without AVX2.</summary>
[Collection(nameof(ProcessWideSettings))]
public sealed class QuantizedWeightOnFourLanesTests() : QuantizedWeightTests(4);
