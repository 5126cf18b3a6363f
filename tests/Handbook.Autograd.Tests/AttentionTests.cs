using CsCheck;
using Handbook.Torch;

namespace Handbook.Autograd.Tests;

/// <summary>The blocks in C# against the plain composition, and what holds for any attention over packed rows.</summary>
[Collection(nameof(ProcessWideSettings))]
public class AttentionTests : KernelRoad
{
    public AttentionTests()
        : this(16)
    {
    }

    protected AttentionTests(int lanes)
        : base(lanes)
    {
    }

    private const double Scale = 0.3;

    // The plain composition of the same (rounded) numbers in float64 is the truth; bfloat16 has 8 bits, and a sum of weighted
    // values of size 1 to 4 is off by a few of its last places.
    [Theory]
    [InlineData(DType.Float32, 2e-5)]
    [InlineData(DType.BFloat16, 0.03)]
    public void Apply_OnAnyLayoutWidthAndWindow_EqualsThePlainComposition(DType dtype, double tolerance)
    {
        var gen = Gen.Select(Layouts.Any(200, 4), Gen.Int[0, 3], Gen.Int[1, 3], Gen.Int[1, 2], Gen.Int[0, 2]);
        gen.Sample((layout, widthIndex, group, keyHeads, windowIndex) =>
        {
            using var scope = new TensorScope();
            var window = new int?[] { null, 30, 100 }[windowIndex];
            var inputs = Inputs(layout.Length, group * keyHeads, keyHeads, new[] { 9, 40, 64, 96 }[widthIndex], dtype);
            var actual = Run(inputs, layout, window);
            var wide = Array.ConvertAll(inputs, input => input.To(DType.Float64));
            var expected = Plain(wide, layout, window);
            for (var i = 0; i < actual.Length; i++)
                GradientCheck.AssertClose(expected[i], actual[i], tolerance, $"{dtype}, result {i}");
        }, iter: 12, threads: 1, seed: "0000000000001");
    }

    [Fact]
    public void Apply_OverSeveralChunksOfKeys_EqualsThePlainComposition()
    {
        using var scope = new TensorScope();
        var layout = new SequenceLayout(new Segment(0, 600), new Segment(600, 530, 600, 0), new Segment(1130, 20, 600, 0));
        var inputs = Inputs(layout.Length, 2, 1, 16, DType.Float32);
        var actual = Run(inputs, layout, null);
        var expected = Plain(inputs, layout, null);
        for (var i = 0; i < actual.Length; i++)
            Assert.True(actual[i].MaxAbsDifference(expected[i]) < 5e-5);
    }

    // Blocks run on over the answers of a prompt; an answer that stands apart from it is a family of its own, and a chunk of
    // keys may hold nothing that a query sees.
    [Theory]
    [InlineData(null)]
    [InlineData(40)]
    public void Apply_AnswersBesideAndApartFromTheirPrompts_EqualsThePlainComposition(int? window)
    {
        using var scope = new TensorScope();
        var layout = new SequenceLayout(
            new Segment(0, 30), new Segment(30, 600, 30, 0), new Segment(630, 590, 30, 0), new Segment(1220, 70),
            new Segment(1290, 9, 70, 3), new Segment(1299, 5, 30, 0), new Segment(1304, 1, 30, 0), new Segment(1305, 80, 70, 3));
        var inputs = Inputs(layout.Length, 2, 1, 24, DType.Float32);
        var actual = Run(inputs, layout, window);
        var expected = Plain(inputs, layout, window);
        for (var i = 0; i < actual.Length; i++)
            Assert.True(actual[i].MaxAbsDifference(expected[i]) < 5e-5);
    }

    [Theory]
    [InlineData(DType.Float32)]
    [InlineData(DType.BFloat16)]
    public void Apply_WhenOneDocumentChanges_LeavesTheOthersBitIdentical(DType dtype)
    {
        using var scope = new TensorScope();
        var layout = SequenceLayout.Documents([70, 130, 50]);
        var inputs = Inputs(layout.Length, 2, 1, 64, dtype);
        var before = Run(inputs, layout, null);
        foreach (var input in inputs)
            input.Narrow(0, 70, 130).MultiplyInPlace(3);
        var after = Run(inputs, layout, null);
        for (var i = 0; i < before.Length; i++)
        {
            Assert.Equal(before[i].Narrow(0, 0, 70).ToArray<float>(), after[i].Narrow(0, 0, 70).ToArray<float>());
            Assert.Equal(before[i].Narrow(0, 200, 50).ToArray<float>(), after[i].Narrow(0, 200, 50).ToArray<float>());
            Assert.NotEqual(before[i].Narrow(0, 70, 130).ToArray<float>(), after[i].Narrow(0, 70, 130).ToArray<float>());
        }
    }

    [Fact]
    public void Apply_OnSharedPrefix_EqualsSeparateSequences()
    {
        using var scope = new TensorScope();
        var shared = new SequenceLayout(new Segment(0, 90), new Segment(90, 40, 90, 0), new Segment(130, 70, 90, 0));
        var separate = SequenceLayout.Documents([130, 160]);
        long[] rows = [.. Rows(0, 130), .. Rows(0, 90), .. Rows(130, 70)];
        var inputs = Inputs(shared.Length, 4, 2, 32, DType.Float32);
        var index = Tensor.From(rows);
        var copies = Array.ConvertAll(inputs, input => input.IndexSelect(0, index));
        // The prompt's outputs carry no gradient of their own in the second copy: it is counted once.
        copies[3].Narrow(0, 130, 90).ZeroInPlace();
        var one = Run(inputs, shared, null);
        var two = Run(copies, separate, null);
        Assert.True(one[0].IndexSelect(0, index).MaxAbsDifference(two[0]) < 1e-5);
        for (var i = 1; i < 4; i++)
        {
            var folded = two[i].Narrow(0, 0, 200).Clone();
            folded.Narrow(0, 130, 70).CopyFrom(two[i].Narrow(0, 220, 70));
            folded.Narrow(0, 0, 90).AddInPlace(two[i].Narrow(0, 130, 90));
            Assert.True(one[i].MaxAbsDifference(folded) < 1e-4, $"gradient {i} is off by {one[i].MaxAbsDifference(folded)}");
        }
    }

    [Theory]
    [InlineData(DType.Float32)]
    [InlineData(DType.BFloat16)]
    public void Apply_OnOneOrTwoThreads_GivesTheSameBits(DType dtype)
    {
        using var scope = new TensorScope();
        var layout = new SequenceLayout(new Segment(0, 600), new Segment(600, 130, 600, 0), new Segment(730, 90));
        var inputs = Inputs(layout.Length, 6, 2, 64, dtype);
        var before = ParallelWork.ThreadCount;
        try
        {
            ParallelWork.ThreadCount = 1;
            var one = Run(inputs, layout, null);
            ParallelWork.ThreadCount = 2;
            var two = Run(inputs, layout, null);
            for (var i = 0; i < one.Length; i++)
                Assert.Equal(one[i].ToArray<float>(), two[i].ToArray<float>());
        }
        finally
        {
            ParallelWork.ThreadCount = before;
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Apply_RunAgain_LeavesNoTensorsBehind(bool wide)
    {
        using var scope = new TensorScope();
        var inputs = Inputs(40, 2, 1, 16, wide ? DType.Float64 : DType.BFloat16);
        var layout = SequenceLayout.Documents([40]);
        Assert.Equal(0, LiveTensors.Growth(() => Run(inputs, layout, null)));
    }

    [Theory]
    [InlineData(DType.Float32, 2e-5)]
    [InlineData(DType.BFloat16, 0.03)]
    public void Apply_WithSinks_EqualsThePlainComposition(DType dtype, double tolerance)
    {
        using var scope = new TensorScope();
        var layout = new SequenceLayout(new Segment(0, 90), new Segment(90, 70, 90, 0), new Segment(160, 33));
        var inputs = Inputs(layout.Length, 4, 2, 40, dtype);
        var sinks = GradientCheck.Normal(new Random(1), 4).Multiply(3).To(dtype);
        var rule = new AttentionRule(Scale) { Window = 30 };
        var variables = Array.ConvertAll(inputs, input => new Variable(input, requiresGrad: true));
        var weight = new Parameter("sinks", sinks.Clone());
        using var tape = new Tape();
        var output = Attention.Apply(tape, variables[0], variables[1], variables[2], layout, rule, weight);
        tape.Backward(output, inputs[3].Alias());

        var wide = Array.ConvertAll(inputs, input => input.To(DType.Float64));
        var (query, key, value, sink) = Attention.PlainBackward(
            wide[3], wide[0], wide[1], wide[2], layout, rule, sinks: sinks.To(DType.Float64));
        var expected = Attention.PlainForward(wide[0], wide[1], wide[2], layout, rule, sinks: sinks.To(DType.Float64));
        GradientCheck.AssertClose(expected, output.Value, tolerance, "output");
        foreach (var (gradient, variable) in new[] { query, key, value }.Zip(variables))
            GradientCheck.AssertClose(gradient, variable.Grad!, tolerance, "gradient");
        GradientCheck.AssertClose(sink!, weight.Grad!, tolerance, "gradient of the sinks");
    }

    private static IEnumerable<long> Rows(int start, int length) => Enumerable.Range(start, length).Select(row => (long)row);

    private static Tensor[] Inputs(int tokens, int heads, int keyHeads, int width, DType dtype)
    {
        var random = new Random(tokens);
        return
        [
            GradientCheck.Normal(random, tokens, heads, width).To(dtype), GradientCheck.Normal(random, tokens, keyHeads, width).To(dtype),
            GradientCheck.Normal(random, tokens, keyHeads, width).To(dtype), GradientCheck.Normal(random, tokens, heads, width).To(dtype),
        ];
    }

    /// <summary>The output, and the gradients of query, key and value for the output gradient in the last input.</summary>
    private static Tensor[] Run(Tensor[] inputs, SequenceLayout layout, int? window)
    {
        var variables = Array.ConvertAll(inputs, input => new Variable(input, requiresGrad: true));
        using var tape = new Tape();
        var output = Attention.Apply(tape, variables[0], variables[1], variables[2], layout, new AttentionRule(Scale) { Window = window });
        tape.Backward(output, inputs[3].Alias());
        Tensor[] results = [output.Value, .. variables[..3].Select(variable => variable.Grad!.Alias())];
        foreach (var variable in variables)
            variable.ZeroGrad();
        return results;
    }

    private static Tensor[] Plain(Tensor[] inputs, SequenceLayout layout, int? window)
    {
        var (query, key, value, _) = Attention.PlainBackward(
            inputs[3], inputs[0], inputs[1], inputs[2], layout, new AttentionRule(Scale) { Window = window });
        return [Attention.PlainForward(inputs[0], inputs[1], inputs[2], layout, new AttentionRule(Scale) { Window = window }), query, key,
            value];
    }
}

/// <summary>As on processors with AVX2.</summary>
[Collection(nameof(ProcessWideSettings))]
public sealed class AttentionOnEightLanesTests() : AttentionTests(8);

/// <summary>As on ARM, and on x86 without AVX2.</summary>
[Collection(nameof(ProcessWideSettings))]
public sealed class AttentionOnFourLanesTests() : AttentionTests(4);
