using Handbook.Autograd.Kernels;
using Handbook.Autograd.Quantization;
using Handbook.Torch;
using static Handbook.Autograd.Tests.GradientCheck;

namespace Handbook.Autograd.Tests;

/// <summary>Adapters by way of their kernels equal the plain composition, at sizes where blocks are whole, broken and several.</summary>
[Collection(nameof(ProcessWideSettings))]
public class LowRankKernelTests : KernelRoad
{
    public LowRankKernelTests()
        : this(16)
    {
    }

    protected LowRankKernelTests(int lanes)
        : base(lanes)
    {
    }

    public static TheoryData<string, DType, int, int, int, double> Cases()
    {
        var cases = new TheoryData<string, DType, int, int, int, double>();
        foreach (var kind in new[] { "lora", "dora", "nf4", "chain" })
        {
            foreach (var dtype in new[] { DType.Float32, DType.BFloat16 })
            {
                foreach (var dropout in new[] { 0, 0.3 })
                {
                    cases.Add(kind, dtype, 33, 66, 82, dropout);
                    cases.Add(kind, dtype, 301, 98, 130, dropout);
                    cases.Add(kind, dtype, 1030, 34, 70, dropout);
                    cases.Add(kind, dtype, 130, 32, 7, dropout);
                }
            }
        }
        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void ProductAndGradients_EqualThePlainComposition(
        string kind, DType dtype, int rows, int outputs, int inputs, double dropout)
    {
        using var scope = new TensorScope();
        var found = Run(kind, dtype, dtype, rows, outputs, inputs, dropout);
        FusedKernels.Enabled = false;
        try
        {
            // Of the same numbers, computed in a type whose roundings count for nothing.
            var expected = Run(kind, dtype, DType.Float64, rows, outputs, inputs, dropout);
            for (var i = 0; i < expected.Length; i++)
                AssertClose(expected[i], found[i], dtype == DType.Float32 ? 2e-5 : 4e-2, $"tensor {i} of product, input, A, B, lengths");
        }
        finally
        {
            FusedKernels.Enabled = true;
        }
    }

    [Fact]
    public void MarkAtLeast_MarksByTheStreamsNumbers()
    {
        var random = new RandomStream(7);
        var marks = new byte[1003];
        unsafe
        {
            fixed (byte* at = marks)
                random.MarkAtLeast(5, marks.Length, DropoutKernel.Bound(0.3), at);
        }
        Assert.Equal(Enumerable.Range(5, marks.Length).Select(i => random.Uniform((ulong)i) < 0.3f ? (byte)0 : (byte)1), marks);
    }

    /// <summary>The product, then the gradients of input, A, B and lengths.</summary>
    private static Tensor[] Run(
        string kind, DType stored, DType dtype, int rows, int outputs, int inputs, double dropout)
    {
        const int Rank = 4;
        const double Scale = 0.5;
        var random = new Random(rows);
        Tensor Numbers(params long[] shape) => Normal(random, shape).Multiply(0.3).To(stored).To(dtype);
        Parameter Leaf(string name, params long[] shape) => new(name, Numbers(shape));
        var input = new Variable(Numbers(rows, inputs), requiresGrad: true);
        var direction = Numbers(rows, outputs);
        var weight = Numbers(outputs, inputs);
        var (down, up) = (Leaf("a", Rank, inputs), Leaf("b", outputs, Rank));
        var lengths = Leaf("m", outputs);
        var adapters = new AdapterSwitch();
        Weight inner = new Parameter("w", weight, requiresGrad: false);
        if (kind == "nf4")
        {
            using var codes = QuantizedMatrix.Quantize(weight.To(DType.Float32), CodeFormat.NormalFloat4, nested: true);
            inner = dtype == DType.Float64
                ? new Parameter("w", codes.Dequantize(stored).To(dtype), requiresGrad: false)
                : new QuantizedWeight(
                    "w", QuantizedMatrix.Quantize(weight.To(DType.Float32), CodeFormat.NormalFloat4, nested: true), dtype);
        }
        else if (kind == "chain")
        {
            inner = new LowRankWeight(
                inner, new Parameter("c", Numbers(2, inputs), false), new Parameter("d", Numbers(outputs, 2), false), 1, adapters);
        }
        using Weight adapted = kind == "dora" ? new DecomposedWeight(inner, down, up, lengths, Scale, adapters, dropout)
            : new LowRankWeight(inner, down, up, Scale, adapters, dropout);
        using var tape = new Tape(seed: TapeSeed);
        var y = Linear.ApplyMany(tape, input, [adapted], [], drops: true)[0];
        tape.Backward(y, direction.Clone());
        Tensor?[] found = [y.Value.Clone(), input.Grad!.Clone(), down.Grad!.Clone(), up.Grad!.Clone(), lengths.Grad?.Clone()];
        return [.. found.OfType<Tensor>()];
    }
}

/// <summary>The same on a processor with AVX2.</summary>
[Collection(nameof(ProcessWideSettings))]
public sealed class LowRankKernelOnEightLanesTests() : LowRankKernelTests(8);

/// <summary>The same on any other.</summary>
[Collection(nameof(ProcessWideSettings))]
public sealed class LowRankKernelOnFourLanesTests() : LowRankKernelTests(4);
