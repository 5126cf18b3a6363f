using Handbook.Models.Blocks;
using Handbook.Models.Configuration;

namespace Handbook.Models.Tests.Blocks;

public sealed class RotaryFrequenciesTests
{
    [Fact]
    public void Inverse_Plain_ArePowersOfTheta() =>
        AssertClose([1, 0.1f, 0.01f, 0.001f], RotaryFrequencies.Inverse(new RotaryConfig(10000, 8), 0));

    [Fact]
    public void Inverse_Linear_AreDivided() =>
        AssertClose([0.5f, 0.05f, 0.005f, 0.0005f], RotaryFrequencies.Inverse(Scaled(new RotaryScaling.Linear(2)), 0));

    [Theory]
    [InlineData(1, 10000)]
    [InlineData(100, 10000)]
    // theta (2 * 300 / 100 - 1)^(8 / 6)
    [InlineData(300, 85498.79733383485)]
    public void Inverse_Dynamic_GrowsThetaBeyondTrainedLength(int length, double theta) =>
        AssertClose(RotaryFrequencies.Inverse(new RotaryConfig(theta, 8), 0),
            RotaryFrequencies.Inverse(Scaled(new RotaryScaling.Dynamic(2, 100)), length));

    [Fact]
    public void Inverse_Llama3_KeepsShortBlendsAndStretchesLong()
    {
        // Wavelengths 6.3, 63, 628, 6283 against 1000/4 = 250 and 1000/1: kept, kept, blended, stretched.
        var frequencies = RotaryFrequencies.Inverse(Scaled(new RotaryScaling.Llama3(8, 1, 4, 1000)), 0);
        var kept = (1000 / (2 * Math.PI / 0.01) - 1) / 3;

        AssertClose([1, 0.1f, (float)((1 - kept) * 0.01 / 8 + kept * 0.01), 0.001f / 8], frequencies);
    }

    [Fact]
    public void Inverse_Yarn_RampsBetweenDimensions()
    {
        // Rotations over 1000 tokens fall from 159 to 0.159; 32 and 1 are made by dimensions 0.7 and 2.2: a ramp from 0 to 3.
        var config = Scaled(new RotaryScaling.Yarn(4, 1000, 1.1, 32, 1, Truncate: true));

        AssertClose([1, 0.1f * (2 / 3f + 1 / 12f), 0.01f * (1 / 3f + 2 / 12f), 0.001f / 4], RotaryFrequencies.Inverse(config, 0));
        Assert.Equal(1.1, RotaryFrequencies.Scale(config));
    }

    private static RotaryConfig Scaled(RotaryScaling scaling) => new(10000, 8) { Scaling = scaling };

    private static void AssertClose(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-5 * pair.First));
    }
}
