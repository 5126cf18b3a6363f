using Handbook.Autograd.Kernels;
using Handbook.Torch;
using static Handbook.Autograd.Tests.GradientCheck;

namespace Handbook.Autograd.Tests;

/// <summary>Tests here switch kernels and threads of the whole process, so they run alone.</summary>
[CollectionDefinition(nameof(ProcessWideSettings), DisableParallelization = true)]
public sealed class ProcessWideSettings;

/// <summary>Fused kernels against the plain compositions that define them, in the types they are written for.</summary>
[Collection(nameof(ProcessWideSettings))]
public class FusedKernelTests : KernelRoad
{
    public FusedKernelTests()
        : this(16)
    {
    }

    protected FusedKernelTests(int lanes)
        : base(lanes)
    {
    }

    private const double Epsilon = 1e-5;

    /// <summary>Operations with a fused kernel, on shapes with whole and broken vectors and more than one block of rows.</summary>
    private static readonly Dictionary<string, (Func<Random, Tensor[]> Inputs, Func<Tape, Variable[], Variable[]> Operation)> Operations =
        Fused();

    public static TheoryData<string, DType> Cases
    {
        get
        {
            var cases = new TheoryData<string, DType>();
            foreach (var name in Operations.Keys)
            {
                cases.Add(name, DType.Float32);
                cases.Add(name, DType.BFloat16);
            }
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void FusedKernel_InSingleAndBFloat16_EqualsThePlainComposition(string name, DType dtype)
    {
        using var scope = new TensorScope();
        var fused = Evaluate(name, dtype, kernels: true);
        var plain = Evaluate(name, dtype, kernels: false);
        // bfloat16 has 8 bits: two roundings may differ by one unit in the last place, and sums over rows by a few.
        var tolerance = dtype == DType.Float32 ? 2e-6 : 8e-3;
        for (var i = 0; i < plain.Length; i++)
            AssertClose(plain[i], fused[i], tolerance, $"{name} {dtype.Name()} tensor {i}");
    }

    /// <summary>float32 products are libtorch's own, which splits long sums among threads.</summary>
    public static TheoryData<string, DType> OwnKernels
    {
        get
        {
            var cases = new TheoryData<string, DType>();
            foreach (var name in Operations.Keys)
            {
                cases.Add(name, DType.BFloat16);
                if (!name.StartsWith("Linear", StringComparison.Ordinal))
                    cases.Add(name, DType.Float32);
            }
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(OwnKernels))]
    public void FusedKernel_WithOneToThreeThreads_GivesTheSameBits(string name, DType dtype)
    {
        using var scope = new TensorScope();
        var before = ParallelWork.ThreadCount;
        try
        {
            ParallelWork.ThreadCount = 1;
            var one = Evaluate(name, dtype, kernels: true);
            foreach (var threads in new[] { 2, 3 })
            {
                ParallelWork.ThreadCount = threads;
                var many = Evaluate(name, dtype, kernels: true);
                for (var i = 0; i < one.Length; i++)
                    Assert.Equal(one[i].ToArray<float>(), many[i].ToArray<float>());
            }
        }
        finally
        {
            ParallelWork.ThreadCount = before;
        }
    }

    [Fact]
    public void LinearGradient_OfASecondMicroBatch_IsAddedInSinglePrecision()
    {
        using var scope = new TensorScope();
        var random = new Random(4);
        var weight = new Parameter("w", Normal(random, 34, 64).To(DType.BFloat16));
        var expected = Tensor.Zeros([34, 64], DType.Float64);
        for (var batch = 0; batch < 3; batch++)
        {
            var input = Normal(random, 601, 64).To(DType.BFloat16);
            var gradient = Normal(random, 601, 34).To(DType.BFloat16);
            using var tape = new Tape();
            tape.Backward(Linear.Apply(tape, new Variable(input), weight), gradient.Alias());
            var exact = gradient.To(DType.Float64).Transpose(0, 1).MatMul(input.To(DType.Float64));
            expected = expected.Add(batch == 0 ? exact.To(DType.BFloat16).To(DType.Float64) : exact);
        }
        Assert.Equal(DType.Float32, weight.Grad!.DType);
        AssertClose(expected, weight.Grad, 1e-3, "the sum over three micro-batches");
        weight.ZeroGrad();
        weight.Dispose();
    }

    [Theory]
    [InlineData(ActivationKind.Silu)]
    [InlineData(ActivationKind.Gelu)]
    [InlineData(ActivationKind.GeluTanh)]
    [InlineData(ActivationKind.Relu)]
    public void Activation_OverTheWholeRange_IsAsExactAsSinglePrecision(ActivationKind kind)
    {
        using var scope = new TensorScope();
        var points = Enumerable.Range(-4000, 8001).Select(i => i * 0.025f).Append(float.MaxValue).Append(-1e30f).Append(1e-30f).ToArray();
        var x = Tensor.From(points);
        using var tape = new Tape(isRecording: false);
        var found = Activation.Apply(tape, new Variable(x), kind).Value;
        var exact = Activation.PlainForward(x.To(DType.Float64), kind).ToArray<double>();
        var actual = found.ToArray<double>();
        for (var i = 0; i < points.Length; i++)
            Assert.True(Math.Abs(actual[i] - exact[i]) <= 4e-7 * Math.Max(1, Math.Abs(exact[i])),
                $"{kind}({points[i]}) is {exact[i]:R}, found {actual[i]:R}");
    }

    [Theory]
    [InlineData(ActivationKind.Silu)]
    [InlineData(ActivationKind.Gelu)]
    [InlineData(ActivationKind.GeluTanh)]
    [InlineData(ActivationKind.Relu)]
    public void Activation_OfNotANumber_IsNotANumber(ActivationKind kind)
    {
        using var scope = new TensorScope();
        using var tape = new Tape(isRecording: false);
        Assert.True(float.IsNaN(Activation.Apply(tape, new Variable(Tensor.From(new[] { float.NaN })), kind).Value.ToArray<float>()[0]));
    }

    private static Dictionary<string, (Func<Random, Tensor[]>, Func<Tape, Variable[], Variable[]>)> Fused()
    {
        var operations = new Dictionary<string, (Func<Random, Tensor[]>, Func<Tape, Variable[], Variable[]>)>
        {
            ["RmsNorm"] = (r => [Normal(r, 301, 83), Normal(r, 83)], (tape, x) => [RmsNorm.Apply(tape, x[0], x[1], Epsilon)]),
            ["RmsNorm with residual"] = (r => [Normal(r, 301, 83), Normal(r, 301, 83), Normal(r, 83)],
                (tape, x) => LayerCases.Both(RmsNorm.ApplyWithResidual(tape, x[0], x[1], x[2], Epsilon))),
            ["Residual"] = (r => [Normal(r, 201, 97), Normal(r, 201, 97)], (tape, x) => [Residual.Add(tape, x[0], x[1])]),
            ["Embedding"] = (r => [Ids(r, 400, 37), Normal(r, 37, 83)], (tape, x) => [Embedding.Apply(tape, x[0].Value, x[1])]),
            ["Linear with bias"] = (r => [Normal(r, 301, 32), Normal(r, 83, 32), Normal(r, 83)],
                (tape, x) => [Linear.Apply(tape, x[0], x[1], x[2])]),
            ["Head logps"] = (r => [Normal(r, 90, 64), Normal(r, 300, 64).Multiply(0.2)], (tape, x) =>
                [LanguageModelHead.TokenLogps(
                    tape, x[0], x[1], Enumerable.Range(0, 80).ToArray(), Enumerable.Range(7, 80).ToArray()).Logps]),
            ["Head loss"] = (r => [Normal(r, 90, 64), Normal(r, 300, 64).Multiply(0.2)], (tape, x) =>
                [LanguageModelHead.Loss(
                    tape, x[0], x[1], Enumerable.Range(0, 80).ToArray(), Enumerable.Range(7, 80).ToArray(), [-0.1f]).Loss]),
            ["RotaryEmbedding"] = (r => [Normal(r, 201, 3, 83)], (tape, x) =>
            {
                var (cos, sin) = RotaryEmbedding.Tables(Enumerable.Range(0, 201).ToArray(),
                    Enumerable.Range(0, 40).Select(i => 1f / (1 + i)).ToArray());
                return [RotaryEmbedding.Apply(tape, x[0], cos, sin)];
            }),
            ["Linear of several blocks"] = (r => [Normal(r, 1037, 64), Normal(r, 402, 64)], (tape, x) => [Linear.Apply(tape, x[0], x[1])]),
            ["Linear, deep both ways"] = (r => [Normal(r, 210, 1602).Multiply(0.05), Normal(r, 38, 1602), Normal(r, 1602, 38)],
                (tape, x) => [Linear.Apply(tape, Linear.Apply(tape, x[0], x[1]), x[2])]),
            ["Linear, three projections"] = (r => [Normal(r, 77, 34), Normal(r, 18, 34), Normal(r, 6, 34), Normal(r, 40, 34), Normal(r, 6)],
                (tape, x) => Linear.ApplyMany(tape, x[0], [x[1], x[2], x[3]], [null, x[4], null])),
            ["Dropout"] = (r => [Normal(r, 201, 97)], (tape, x) => [Dropout.Apply(tape, x[0], 0.3)]),
        };
        foreach (var kind in Enum.GetValues<ActivationKind>())
        {
            operations[$"Activation {kind}"] = (r => [Normal(r, 201, 97)], (tape, x) => [Activation.Apply(tape, x[0], kind)]);
            operations[$"GatedActivation {kind}"] = (r => [Normal(r, 201, 97), Normal(r, 201, 97)],
                (tape, x) => [GatedActivation.Apply(tape, x[0], x[1], kind)]);
        }
        operations["ClampedGate"] = (r => [Normal(r, 201, 97), Normal(r, 201, 97)],
            (tape, x) => [ClampedGate.Apply(tape, x[0], x[1], 1.7, 0.75)]);
        return operations;
    }

    private static Tensor Ids(Random random, int count, int vocabulary) =>
        Tensor.From(Enumerable.Range(0, count).Select(_ => (long)random.Next(vocabulary)).ToArray());

    // Outputs, then gradients of floating-point inputs.
    private static Tensor[] Evaluate(string name, DType dtype, bool kernels)
    {
        var (make, operation) = Operations[name];
        FusedKernels.Enabled = kernels;
        try
        {
            var random = new Random(3);
            var inputs = Array.ConvertAll(make(random), input => input.DType.IsFloatingPoint() ? input.To(dtype) : input);
            using var tape = new Tape(isRecording: false, TapeSeed);
            var outputs = Array.ConvertAll(operation(tape, Array.ConvertAll(inputs, input => new Variable(input))), output => output.Value);
            var gradients = Gradients(operation, inputs, Array.ConvertAll(outputs, output => Normal(random, output.Shape).To(dtype)));
            return [.. outputs, .. gradients.OfType<Tensor>()];
        }
        finally
        {
            FusedKernels.Enabled = true;
        }
    }
}

/// <summary>As on processors with AVX2.</summary>
[Collection(nameof(ProcessWideSettings))]
public sealed class FusedKernelOnEightLanesTests() : FusedKernelTests(8);

/// <summary>As on ARM, and on x86 without AVX2.</summary>
[Collection(nameof(ProcessWideSettings))]
public sealed class FusedKernelOnFourLanesTests() : FusedKernelTests(4);
