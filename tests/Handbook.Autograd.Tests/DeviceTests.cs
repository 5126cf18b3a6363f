using Handbook.Torch;

namespace Handbook.Autograd.Tests;

/// <summary>What other devices compute in libtorch's operators is what the host computes in kernels of ours.</summary>
public sealed class DeviceTests
{
    [Theory]
    [InlineData(0UL, 0UL, 1)]
    [InlineData(7UL, 12345678901UL, 1001)]
    [InlineData(ulong.MaxValue, ulong.MaxValue - 3, 17)]
    public void PlainUniform_GivesTheNumbersOfTheHost(ulong seed, ulong first, int count)
    {
        using var scope = new TensorScope();
        var random = new RandomStream(seed);
        Assert.Equal(random.Uniform(first, [count], Device.Cpu).ToArray<float>(),
            random.PlainUniform(first, [count], Device.Cpu).ToArray<float>());
    }

    [Fact]
    public void GroupedProducts_EqualThoseOfEachExpert()
    {
        using var scope = new TensorScope();
        using var experts = new ExpertRows(Tensor.From<long>([0, 3, 3, 1, 0, 3], [3, 2]), 4);
        var (rows, weights, gradient) = (Normal(1, 6, 8), Normal(2, 4, 16, 8), Normal(3, 6, 16));
        Variable[] inputs = [new(rows, true), new(rows, true)];
        Parameter[] parameters = [new("a", weights.Clone()), new("b", weights.Clone())];
        using var tape = new Tape();

        var outputs = new[]
        {
            GroupedLinear.Apply(tape, inputs[0], experts, parameters[0]),
            GroupedLinear.ApplyGrouped(tape, inputs[1], experts, parameters[1]),
        };
        outputs[0].Accumulate(gradient.Clone());
        tape.Backward(outputs[1], gradient.Clone());

        Assert.InRange(outputs[0].Value.MaxAbsDifference(outputs[1].Value), 0, 1e-5);
        Assert.InRange(inputs[0].Grad!.MaxAbsDifference(inputs[1].Grad!), 0, 1e-5);
        Assert.InRange(parameters[0].Grad!.MaxAbsDifference(parameters[1].Grad!), 0, 1e-5);
    }

    [Fact]
    public void GroupedProducts_OnMeta_HaveTheirShapesWithoutAWait()
    {
        using var scope = new TensorScope();
        using var waits = new DeviceWaitCount();
        using var experts = new ExpertRows(Tensor.Empty([3, 2], DType.Int64, Device.Meta), 4);
        var weights = new Parameter("w", Tensor.Empty([4, 16, 8], DType.Float32, Device.Meta));
        var rows = new Variable(Tensor.Empty([6, 8], DType.Float32, Device.Meta), requiresGrad: true);
        using var tape = new Tape();

        var output = GroupedLinear.Apply(tape, rows, experts, weights);
        tape.Backward(output);

        Assert.Equal([6, 16], output.Value.Shape.ToArray());
        Assert.Equal([6, 8], rows.Grad!.Shape.ToArray());
        Assert.Equal([4, 16, 8], weights.Grad!.Shape.ToArray());
        Assert.Empty(waits.Counts);
    }

    [Fact]
    public void Elements_OfATensorOnMeta_CannotBeHadByTheWay()
    {
        using var scope = new TensorScope();
        var tensor = Tensor.Zeros([3], DType.Float32, Device.Meta);
        using var waits = new DeviceWaitCount();

        Assert.ThrowsAny<Exception>(() => tensor.ToArray<float>());
        unsafe
        {
            Assert.Throws<InvalidOperationException>(() => (nint)tensor.Pointer);
        }
        Assert.Equal(new float[3], tensor.Read<float>(DeviceWait.Loss));
        Assert.Equal(1, waits.Counts[DeviceWait.Loss]);
    }

    private static Tensor Normal(int seed, params long[] shape)
    {
        var random = new Random(seed);
        return Tensor.From<float>([.. Enumerable.Range(0, (int)shape.Aggregate((a, b) => a * b)).Select(_ => random.NextSingle() - 0.5f)],
            shape);
    }
}
