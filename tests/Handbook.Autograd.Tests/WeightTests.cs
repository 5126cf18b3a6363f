using Handbook.Torch;

namespace Handbook.Autograd.Tests;

/// <summary>What operations may count on of a weight, and what somebody who owns one learns.</summary>
public sealed class WeightTests
{
    [Fact]
    public void Completed_ComesOnceAWeightAndInBackwardOrder()
    {
        using var scope = new TensorScope();
        Parameter[] weights = [Square("a"), Square("b"), Square("c")];
        var seen = Watch(weights);
        using var tape = new Tape();

        var x = Linear.Apply(tape, Rows(), weights[0]);
        tape.Backward(Linear.Apply(tape, Linear.Apply(tape, x, weights[1]), weights[2]), Ones());

        Assert.Equal(["c", "b", "a"], seen);
    }

    [Fact]
    public void Completed_OfAWeightInTwoPlaces_ComesAfterTheLastOfThem()
    {
        using var scope = new TensorScope();
        Parameter[] weights = [Square("tied"), Square("b")];
        var seen = Watch(weights);
        using var tape = new Tape();

        var x = Linear.Apply(tape, Rows(), weights[0]);
        tape.Backward(Linear.Apply(tape, Linear.Apply(tape, x, weights[1]), weights[0]), Ones());

        Assert.Equal(["b", "tied"], seen);
    }

    [Fact]
    public void Completed_WhenLayersAreRecomputed_ComesAsWithout()
    {
        using var scope = new TensorScope();
        Parameter[] weights = [Square("a"), Square("b"), Square("c")];
        var seen = Watch(weights);
        using var tape = new Tape();

        var first = tape.Recompute(Rows(), (inner, x) => [Linear.Apply(inner, Linear.Apply(inner, x, weights[0]), weights[1])]);
        var second = tape.Recompute(first[0], (inner, x) => [Linear.Apply(inner, x, weights[2])]);
        tape.Backward(second[0], Ones());

        Assert.Equal(["c", "b", "a"], seen);
    }

    [Fact]
    public void Completed_OfATapeThatNeverRanBackward_IsNotOwedToTheNext()
    {
        using var scope = new TensorScope();
        var weight = Square("a");
        var seen = Watch([weight]);
        using (var abandoned = new Tape())
            Linear.Apply(abandoned, Rows(), weight);
        Assert.Empty(seen);

        using var tape = new Tape();
        tape.Backward(Linear.Apply(tape, Rows(), weight), Ones());

        Assert.Equal(["a"], seen);
    }

    [Fact]
    public void Lease_IsGivenBackBeforeTheNextOperation()
    {
        using var scope = new TensorScope();
        var weight = new LeasedWeight(Normal(7));
        using var tape = new Tape();

        var first = Linear.Apply(tape, Rows(), weight);
        Assert.Equal(0, weight.Outstanding);
        var second = Linear.Apply(tape, first, weight);
        Assert.Equal((0, 2), (weight.Outstanding, weight.Leases));
        tape.Backward(second, Ones());

        // The gradient of the first product's input is nobody's wish.
        Assert.Equal((0, 3), (weight.Outstanding, weight.Leases));
    }

    [Fact]
    public void IsTrained_TakenAway_LeavesNoGradientAndNoRecord()
    {
        using var scope = new TensorScope();
        var weight = Square("a");
        using var tape = new Tape();
        weight.IsTrained = false;

        Assert.False(Linear.Apply(tape, Rows(), weight).RequiresGrad);
        weight.IsTrained = true;
        tape.Backward(Linear.Apply(tape, Rows(), weight), Ones());
        Assert.NotNull(weight.Grad);
    }

    [Fact]
    public void AdapterSwitch_Off_LeavesTheWeightThatWasAdapted()
    {
        using var scope = new TensorScope();
        var (inner, adapters) = (Square("w"), new AdapterSwitch());
        inner.IsTrained = false;
        using var adapted = new LowRankWeight(inner, new Parameter("a", Normal(1).Narrow(0, 0, 2).Clone()),
            new Parameter("b", Normal(2).Narrow(1, 0, 2).Clone()), 2, adapters);
        using var tape = new Tape();
        var plain = Linear.Apply(tape, Rows(), inner).Value.ToArray<float>();
        Assert.NotEqual(plain, Linear.Apply(tape, Rows(), adapted).Value.ToArray<float>());

        using (adapters.Off())
        using (adapters.Off())
        {
            var off = Linear.Apply(tape, Rows(), adapted);
            Assert.Equal(plain, off.Value.ToArray<float>());
            Assert.False(off.RequiresGrad);
            using var lease = adapted.Lease();
            Assert.Same(inner.Value, lease.Value);
        }
        Assert.True(adapters.IsOn);
        Assert.True(adapted.RequiresGrad);
    }

    [Fact]
    public void LowRankWeight_LeavesNoTensorBehind()
    {
        using var scope = new TensorScope();
        using var adapted = new LowRankWeight(
            Square("w"), new Parameter("a", Normal(1).Narrow(0, 0, 2).Clone()), new Parameter("b", Normal(2).Narrow(1, 0, 2).Clone()), 2,
            new AdapterSwitch());
        var growth = LiveTensors.Growth(() =>
        {
            using var tape = new Tape();
            tape.Backward(Linear.Apply(tape, Rows(), adapted), Ones());
            foreach (var parameter in adapted.Parameters)
                parameter.ZeroGrad();
        });
        Assert.Equal(0, growth);
    }

    private static List<string> Watch(Parameter[] weights)
    {
        var seen = new List<string>();
        foreach (var weight in weights)
            weight.GradientCompleted += () => seen.Add(weight.Name);
        return seen;
    }

    private static Parameter Square(string name) => new(name, Normal(name[0]));

    private static Tensor Normal(int seed)
    {
        var random = new Random(seed);
        return Tensor.From<float>([.. Enumerable.Range(0, 16).Select(_ => random.NextSingle() - 0.5f)], [4, 4]);
    }

    private static Variable Rows() => new(Normal(99));

    private static Tensor Ones() => Tensor.Full([4, 4], 1, DType.Float32);

    /// <summary>A weight that counts who holds its tensor.</summary>
    private sealed class LeasedWeight(Tensor value) : Weight
    {
        internal int Outstanding { get; private set; }

        internal int Leases { get; private set; }

        public override ReadOnlySpan<long> Shape => value.Shape;

        public override DType DType => value.DType;

        public override Device Device => value.Device;

        public override IEnumerable<Parameter> Parameters => [];

        public override bool RequiresGrad => true;

        internal override GradientSink? Gradient => null;

        internal override IEnumerable<GradientSink> Sinks => [];

        public override void Dispose() { }

        internal override void Return(Tensor tensor)
        {
            Outstanding--;
            tensor.Dispose();
        }

        private protected override Tensor Acquire()
        {
            (Outstanding, Leases) = (Outstanding + 1, Leases + 1);
            return value.Alias();
        }
    }
}
