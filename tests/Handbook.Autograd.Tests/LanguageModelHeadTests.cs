using Handbook.Torch;
using static Handbook.Autograd.Tests.GradientCheck;

namespace Handbook.Autograd.Tests;

/// <summary>The head's blocks in C# against its plain composition, and what it reports.</summary>
[Collection(nameof(ProcessWideSettings))]
public class LanguageModelHeadTests : KernelRoad
{
    public LanguageModelHeadTests()
        : this(16)
    {
    }

    protected LanguageModelHeadTests(int lanes)
        : base(lanes)
    {
    }

    // Whole and broken blocks of the vocabulary, one and several chunks of labels.
    public static TheoryData<int, int, int, double> Shapes =>
        new() { { 1000, 64, 100, 1 }, { 300, 96, 1500, 0.5 }, { 31, 32, 5, 2 }, { 513, 32, 1, 1 } };

    // The truth is the plain composition of the same rounded numbers in float64. Logps and statistics are float32 sums of exact
    // products in either type; gradients of bfloat16 are rounded twice on the way (exponentials, then the logits' gradient) and
    // once at the end.
    [Theory]
    [MemberData(nameof(Shapes))]
    public void LossAndLogps_InSingleAndBFloat16_EqualThePlainComposition(int vocabulary, int width, int labels, double logitScale)
    {
        foreach (var (dtype, tolerance) in new[] { (DType.Float32, 1e-5), (DType.BFloat16, 1e-2) })
        {
            using var scope = new TensorScope();
            var problem = new Problem(vocabulary, width, labels, logitScale, dtype);
            var factors = Tensor.From<double>(Array.ConvertAll(problem.Coefficients, value => (double)value), [labels]);
            var (expected, expectedStatistics, gradients) = LanguageModelHead.PlainPass(
                new HeadCall(problem.Hidden.To(DType.Float64), problem.Weight.To(DType.Float64), null, problem.Rows, problem.Labels,
                    problem.Options),
                new HeadGradients(true, new Parameter("head", problem.Weight.Alias()).Gradient, null), factors);
            var (loss, statistics, hidden, weight) = problem.Loss();
            Assert.Equal(expected.Multiply(factors).Sum().Item(), loss, 1e-3);
            AssertClose(gradients.Hidden!, hidden, tolerance, $"{dtype} hidden");
            AssertClose(gradients.Weight!, weight, tolerance, $"{dtype} weight");
            var (logps, hiddenAgain, weightAgain) = problem.LogpsWithGradient();
            AssertClose(expected, logps, 1e-5, $"{dtype} logps");
            AssertClose(gradients.Hidden!, hiddenAgain, tolerance, $"{dtype} hidden of logps");
            AssertClose(gradients.Weight!, weightAgain, tolerance, $"{dtype} weight of logps");
            Assert.Equal(expectedStatistics.IsCorrect.ToArray<float>(), statistics.IsCorrect.ToArray<float>());
            AssertClose(expectedStatistics.MeanLogits, statistics.MeanLogits, 1e-5, "mean logits");
            AssertClose(expectedStatistics.Entropies, statistics.Entropies, 1e-5, "entropies");
        }
    }

    [Fact]
    public void Loss_WithAFrozenWeight_GivesTheSameGradientOfHidden()
    {
        using var scope = new TensorScope();
        var problem = new Problem(200, 32, 50, 1, DType.BFloat16);
        var (_, _, hidden, _) = problem.Loss();
        var variable = new Variable(problem.Hidden, requiresGrad: true);
        using var tape = new Tape();
        tape.Backward(LanguageModelHead.Loss(
            tape, variable, new Variable(problem.Weight), problem.Rows, problem.Labels, problem.Coefficients, null, problem.Options).Loss);
        Assert.Equal(hidden.ToArray<float>(), variable.Grad!.ToArray<float>());
    }

    [Fact]
    public void Loss_WithAnUpstreamGradient_ScalesBoth()
    {
        using var scope = new TensorScope();
        var problem = new Problem(200, 32, 50, 1, DType.Float32);
        var (_, _, hidden, weight) = problem.Loss();
        var (hiddenTwice, weightTwice) = problem.LossGradients(2);
        AssertClose(hidden.Multiply(2), hiddenTwice, 1e-6, "hidden");
        AssertClose(weight.Multiply(2), weightTwice, 1e-6, "weight");
    }

    [Fact]
    public void Loss_WithoutAnyLabel_IsZeroWithZeroGradients()
    {
        using var scope = new TensorScope();
        var hidden = new Variable(Tensor.Zeros([3, 32], DType.BFloat16), requiresGrad: true);
        using var tape = new Tape();
        var (loss, statistics) = LanguageModelHead.Loss(tape, hidden, new Variable(Tensor.Zeros([7, 32], DType.BFloat16)), [], [], [-1f]);
        tape.Backward(loss);
        Assert.Equal(0, loss.Value.Item());
        Assert.Equal(0, statistics.Entropies.ElementCount);
        Assert.Equal(new float[96], hidden.Grad!.ToArray<float>());
    }

    [Fact]
    public void Logps_WithALabelOutsideTheVocabulary_NamesIt()
    {
        using var tape = new Tape(isRecording: false);
        using var hidden = new Variable(Tensor.Zeros([3, 32], DType.Float32));
        using var weight = new Variable(Tensor.Zeros([7, 32], DType.Float32));
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => LanguageModelHead.TokenLogps(tape, hidden, weight, [0, 1], [3, 7]));
        Assert.Contains("Label 1 lies outside the vocabulary of 7", error.Message);
    }

    [Fact]
    public void Loss_RunAgain_LeavesNoTensorsBehind()
    {
        using var scope = new TensorScope();
        var problem = new Problem(200, 32, 50, 1, DType.BFloat16);
        Assert.Equal(0, LiveTensors.Growth(() => problem.Loss()));
        Assert.Equal(0, LiveTensors.Growth(() => problem.LogpsWithGradient()));
    }

    [Fact]
    public void Logps_Recorded_KeepExponentialsWithTheTapeOnly()
    {
        using var scope = new TensorScope();
        var problem = new Problem(200, 32, 50, 1, DType.BFloat16);
        var smallest = long.MaxValue;
        for (var i = 0; i < 10; i++)
        {
            var before = Tensor.LiveCount;
            using (var tape = new Tape())
                LanguageModelHead.TokenLogps(
                    tape, new Variable(problem.Hidden, true), new Variable(problem.Weight, true), problem.Rows, problem.Labels);
            smallest = Math.Min(smallest, Tensor.LiveCount - before);
        }
        Assert.Equal(4, smallest);      // the logps and what was seen at them, which the scope owns
    }

    private sealed class Problem
    {
        internal Problem(int vocabulary, int width, int labels, double logitScale, DType dtype)
        {
            var random = new Random(vocabulary);
            var tokens = labels + 1;
            Hidden = Normal(random, tokens, width).To(dtype);
            Weight = Normal(random, vocabulary, width).Multiply(0.4).To(dtype);
            // Some tokens predict two labels, some none.
            Rows = Enumerable.Range(0, labels).Select(_ => random.Next(tokens)).Order().ToArray();
            Labels = Rows.Select(_ => random.Next(vocabulary)).ToArray();
            Coefficients = Rows.Select(_ => random.NextSingle() - 0.5f).ToArray();
            Options = new HeadOptions(logitScale);
        }

        internal Tensor Hidden { get; }

        internal Tensor Weight { get; }

        internal int[] Rows { get; }

        internal int[] Labels { get; }

        internal float[] Coefficients { get; }

        internal HeadOptions Options { get; }

        internal (double Loss, HeadStatistics Statistics, Tensor Hidden, Tensor Weight) Loss()
        {
            var (hidden, weight) = (new Variable(Hidden, true), new Variable(Weight, true));
            using var tape = new Tape();
            var (loss, statistics) = LanguageModelHead.Loss(tape, hidden, weight, Rows, Labels, Coefficients, null, Options);
            tape.Backward(loss);
            return (loss.Value.Item(), statistics, Attached(hidden), Attached(weight));
        }

        internal (Tensor Hidden, Tensor Weight) LossGradients(double upstream)
        {
            var (hidden, weight) = (new Variable(Hidden, true), new Variable(Weight, true));
            using var tape = new Tape();
            var (loss, _) = LanguageModelHead.Loss(tape, hidden, weight, Rows, Labels, Coefficients, null, Options);
            tape.Backward(loss, Tensor.Full([], upstream, DType.Float32));
            return (Attached(hidden), Attached(weight));
        }

        internal (Tensor Logps, Tensor Hidden, Tensor Weight) LogpsWithGradient()
        {
            var (hidden, weight) = (new Variable(Hidden, true), new Variable(Weight, true));
            using var tape = new Tape();
            var (logps, _) = LanguageModelHead.TokenLogps(tape, hidden, weight, Rows, Labels, null, Options);
            tape.Backward(logps, Tensor.From(Coefficients));
            return (logps.Value, Attached(hidden), Attached(weight));
        }

        /// <summary>The gradient as a tensor of the current scope.</summary>
        private static Tensor Attached(Variable variable)
        {
            var gradient = variable.Grad!.Alias();
            variable.ZeroGrad();
            return gradient;
        }
    }
}

/// <summary>As on processors with AVX2.</summary>
[Collection(nameof(ProcessWideSettings))]
public sealed class LanguageModelHeadOnEightLanesTests() : LanguageModelHeadTests(8);

/// <summary>As on ARM, and on x86 without AVX2.</summary>
[Collection(nameof(ProcessWideSettings))]
public sealed class LanguageModelHeadOnFourLanesTests() : LanguageModelHeadTests(4);
