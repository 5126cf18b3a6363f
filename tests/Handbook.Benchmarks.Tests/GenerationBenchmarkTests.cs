using Handbook.Torch;

namespace Handbook.Benchmarks.Tests;

public sealed class GenerationBenchmarkTests
{
    [Fact]
    public void Run_TinyShape_CountsTheBytesThatAStepReads()
    {
        var result = GenerationBenchmark.Run(new GenerationBenchmarkOptions("tiny", DType.BFloat16, [1, 3], 4, 6), TimeBudget.Unlimited());
        Assert.Equal([1, 3], result.Times.Select(time => time.Batch));
        Assert.All(result.Times, time => Assert.True(time.TokensPerSecond > 0 && result.BandwidthShare(time) > 0));
        // 4 layers of 2 key and 2 value heads of 64 numbers in float32, and on average 7 tokens kept for each sequence.
        Assert.Equal(2 * 4 * 2 * 64 * 4 * 7 * 2, result.Times[1].BytesPerStep - result.Times[0].BytesPerStep);
    }

    [Fact]
    public void Run_MoreTokensThanPositions_IsRefused() =>
        Assert.Throws<UserErrorException>(() => GenerationBenchmark.Run(
            new GenerationBenchmarkOptions("tiny", DType.BFloat16, [1], 8000, 193), TimeBudget.Unlimited()));
}
