using Handbook.Autograd.Elementary;
using Handbook.Torch;

namespace Handbook.Autograd.Tests;

/// <summary>Rows with a trained length, whose norms count as constants: finite differences say something else, libtorch does not.</summary>
public sealed class DecomposedWeightTests
{
    private const double Scale = 0.5;

    [Fact]
    public void Product_EqualsLibtorch_WithConstantNorms() =>
        Compare((tape, x) => [Linear.Apply(tape, x[0], Decomposed(x))], x => [x[0].MatMul(Lengthened(x).Transpose(0, 1))]);

    [Fact]
    public void Lease_EqualsLibtorch_WithConstantNorms() => 
        Compare((tape, x) => [tape.Multiply(tape.Slice(x[0], 0, 0, 1), tape.Read(Decomposed(x)))],
            x => [x[0].Narrow(0, 0, 1).Multiply(Lengthened(x))]);

    // PEFT: base(x) + lengths / norms * (direction of the masked input) - base(masked input).
    [Fact]
    public void Dropout_MasksEverythingButTheBase() =>
        Compare((tape, x) => Linear.ApplyMany(tape, x[0], [Decomposed(x, dropout: 0.4)], [], drops: true), x =>
        {
            var ones = Tensor.Full(x[0].Shape, 1, DType.Float64);
            var masked = x[0].Multiply(Dropout.Masked(ones, new RandomStream(GradientCheck.TapeSeed), 0, 0.4));
            var change = Lengthened(x).Subtract(x[1]);
            return [x[0].MatMul(x[1].Transpose(0, 1)).Add(masked.MatMul(change.Transpose(0, 1)))];
        });

    // Three matrices; the second has no row.
    [Theory]
    [InlineData(0)]
    [InlineData(0.4)]
    public void Stack_EqualsLibtorch_WithConstantNormsOfEachMatrix(double dropout) =>
        Compare((tape, x) => [GroupedLinear.Apply(tape, x[0], Rows(), Decomposed(x, dropout), drops: true)], x =>
        {
            var ones = Tensor.Full(x[0].Shape, 1, DType.Float64);
            var masked = dropout == 0 ? x[0]
                : x[0].Multiply(Dropout.Masked(ones, new RandomStream(GradientCheck.TapeSeed), 0, dropout));
            var change = Lengthened(x).Subtract(x[1]);
            return [Operator.Call("aten::cat"u8, default, new[] { Part(0, 0, 3), Part(2, 3, 2) }, 0L)];

            Tensor Part(int expert, int start, int count) =>
                x[0].Narrow(0, start, count).MatMul(x[1].Select(0, expert).Transpose(0, 1))
                    .Add(masked.Narrow(0, start, count).MatMul(change.Select(0, expert).Transpose(0, 1)));
        }, random =>
            [Normal(random, 5, 4), Normal(random, 3, 6, 4), Normal(random, 3, 2, 4), Normal(random, 3, 6, 2), Normal(random, 3, 6)]);

    private static ExpertRows Rows() => new(Tensor.From<long>([0, 2, 0, 2, 0], [5, 1]), 3);

    [Fact]
    public void HeldOff_IsTheBase()
    {
        using var scope = new TensorScope();
        var x = Array.ConvertAll(Inputs(new Random(3)), tensor => new Variable(tensor));
        var adapters = new AdapterSwitch();
        using var tape = new Tape();
        using (adapters.Off())
        {
            var off = Linear.Apply(tape, x[0], new DecomposedWeight(x[1], x[2], x[3], x[4], Scale, adapters));
            Assert.Equal(0, off.Value.MaxAbsDifference(Linear.Apply(tape, x[0], x[1]).Value));
        }
    }

    [Fact]
    public void AdapterBeneath_CountsInTheNorms_OnAndOff()
    {
        using var scope = new TensorScope();
        var x = Array.ConvertAll(Inputs(new Random(4)), tensor => new Variable(tensor));
        var (first, second) = (new AdapterSwitch(), new AdapterSwitch());
        var beneath = new LowRankWeight(x[1], x[2], x[3], 3, first);
        var both = new DecomposedWeight(beneath, x[2], x[3], x[4], Scale, second);
        using var tape = new Tape();
        var on = Linear.Apply(tape, x[0], both);
        Assert.InRange(on.Value.MaxAbsDifference(Linear.Apply(tape, x[0], tape.Read(both)).Value), 0, 1e-12);

        using (first.Off())
        {
            var alone = Linear.Apply(tape, x[0], new DecomposedWeight(x[1], x[2], x[3], x[4], Scale, new AdapterSwitch()));
            Assert.InRange(Linear.Apply(tape, x[0], both).Value.MaxAbsDifference(alone.Value), 0, 1e-12);
        }
    }

    private static void Compare(
        Func<Tape, Variable[], Variable[]> operation, Func<Tensor[], Tensor[]> reference, Func<Random, Tensor[]>? inputs = null)
    {
        for (var seed = 0; seed < 3; seed++)
        {
            using var scope = new TensorScope();
            GradientCheck.AgainstLibtorch(operation, reference, (inputs ?? Inputs)(new Random(seed)), 1e-12);
        }
    }

    private static Tensor[] Inputs(Random random) =>
        [Normal(random, 5, 4), Normal(random, 6, 4), Normal(random, 2, 4), Normal(random, 6, 2), Normal(random, 6)];

    private static Tensor Normal(Random random, params long[] shape) =>
        Tensor.From<double>(
            [.. Enumerable.Range(0, (int)shape.Aggregate(1L, (a, b) => a * b)).Select(_ => random.NextDouble() - 0.5)], shape);

    private static DecomposedWeight Decomposed(Variable[] x, double dropout = 0) =>
        new(x[1], x[2], x[3], x[4], Scale, new AdapterSwitch(), dropout);

    private static Tensor Lengthened(Tensor[] x)
    {
        var whole = x[1].Add(x[3].MatMul(x[2]).Multiply(Scale));
        var norms = Operator.Call("aten::detach"u8, default, Operator.Call("aten::sqrt"u8, default, whole.Multiply(whole).Sum(-1)));
        return whole.Multiply(x[4].Divide(norms).View([.. norms.Shape, 1]));
    }
}
