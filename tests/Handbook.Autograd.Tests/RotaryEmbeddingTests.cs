using Handbook.Torch;

namespace Handbook.Autograd.Tests;

public class RotaryEmbeddingTests
{
    [Fact]
    [ProvesGradient(typeof(RotaryEmbedding), nameof(RotaryEmbedding.Apply))]
    public void Apply_OnPartOfTheHead_HasTheGradientOfCentralDifferences()
    {
        using var scope = new TensorScope();
        var random = new Random(1);
        var (cos, sin) = RotaryEmbedding.Tables([0, 1, 2, 0, 1], [1f, 0.1f]);
        CentralDifferences.Check(random, [CentralDifferences.Normal(random, 5, 3, 6)], (tape, x) => RotaryEmbedding.Apply(tape, x[0], cos, sin));
    }

    [Fact]
    public void Apply_AtPositionOneWithUnitFrequency_TurnsByOneRadian()
    {
        using var scope = new TensorScope();
        using var tape = new Tape(isRecording: false);
        var (cos, sin) = RotaryEmbedding.Tables([1], [1f]);
        var turned = RotaryEmbedding.Apply(tape, new Variable(Tensor.From<float>([3, 4], [1, 1, 2])), cos, sin).Value.ToArray<double>();
        Assert.Equal(3 * Math.Cos(1) - 4 * Math.Sin(1), turned[0], 1e-6);
        Assert.Equal(4 * Math.Cos(1) + 3 * Math.Sin(1), turned[1], 1e-6);
    }
}
