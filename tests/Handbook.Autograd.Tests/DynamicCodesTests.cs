using Handbook.Autograd.Kernels;
using Handbook.Autograd.Quantization;
using Handbook.Torch;

namespace Handbook.Autograd.Tests;

/// <summary>Tests here switch the width of kernels, so they run alone.</summary>
[CollectionDefinition(nameof(DynamicCodesTests), DisableParallelization = true)]
public sealed class DynamicCodesCollection;

/// <summary>
/// Numbers in 8 bits by the block: the maps by their construction, codes by their definition, kernels by the plain version.
/// </summary>
[Collection(nameof(DynamicCodesTests))]
public sealed class DynamicCodesTests
{
    public static TheoryData<int> Widths => [.. new[] { 4, 8, 16 }.Where(lanes => lanes <= FusedKernels.Lanes)];

    /// <summary>
    /// bitsandbytes' create_dynamic_map in float64: seven decades, each of twice as many equal steps as the one below it, at their middles;
    /// 0 and 1 beside them.
    /// </summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Map_EqualsItsConstruction(bool isSigned)
    {
        var expected = new List<double> { 0, 1 };
        for (var decade = 0; decade < 7; decade++)
        {
            var items = (isSigned ? 1 : 2) << decade;
            for (var i = 0; i < items; i++)
            {
                var mean = 0.1 + 0.9 * (i + 0.5) / items;
                expected.Add(Math.Pow(10, decade - 6) * mean);
                if (isSigned)
                    expected.Add(-Math.Pow(10, decade - 6) * mean);
            }
        }
        expected.Sort();
        var map = (isSigned ? DynamicCodes.Signed : DynamicCodes.Unsigned).Map;
        Assert.Equal(256, expected.Count);
        Assert.Equal(256, map.Length);
        Assert.All(expected.Zip(map), pair =>
            Assert.InRange(pair.Second - pair.First, -3e-7 * Math.Abs(pair.First), 3e-7 * Math.Abs(pair.First)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Encode_GivesTheNearestNumberOfTheMap_AndKeepsSigns(bool isSigned)
    {
        using var scope = new TensorScope();
        var codes = isSigned ? DynamicCodes.Signed : DynamicCodes.Unsigned;
        var map = codes.Map;
        var numbers = Numbers(1000, isSigned, seed: 3);
        using var average = RunningAverage.ZerosInCodes("average", [1000], codes, Device.Cpu);
        average.Write(Tensor.From(numbers));
        var read = average.Read().ToArray<float>();
        for (var i = 0; i < numbers.Length; i++)
        {
            var block = numbers.AsSpan(i / 256 * 256, Math.Min(256, numbers.Length - i / 256 * 256)).ToArray();
            var largest = block.Max(Math.Abs);
            var nearest = map.Where(number => numbers[i] >= 0 || number < 0).Min(number => Math.Abs(number - numbers[i] / largest));
            Assert.InRange(Math.Abs(read[i] - numbers[i]) / largest, 0, nearest + 1e-7);
            Assert.True(numbers[i] >= 0 ? read[i] >= 0 : read[i] < 0, $"{numbers[i]} became {read[i]}");
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Kernel_AtEveryWidth_WritesAndReadsWhatThePlainVersionDoes(int lanes)
    {
        var before = FusedKernels.Lanes;
        FusedKernels.Lanes = lanes;
        try
        {
            foreach (var count in new[] { 1, 255, 256, 300, 5000, 40_003 })
            {
                using var scope = new TensorScope();
                float[] first = count == 5000 ? Edges(DynamicCodes.Signed, isSigned: true) : Numbers(count, isSigned: true, seed: count);
                float[] second = count == 5000
                    ? Edges(DynamicCodes.Unsigned, isSigned: false) : [.. first.Select(number => number * number)];
                var size = Math.Min(first.Length, second.Length);
                Compare(first[..size], second[..size]);
            }
        }
        finally
        {
            FusedKernels.Lanes = before;
        }
    }

    [Fact]
    public void Zeros_AreZeros()
    {
        using var scope = new TensorScope();
        foreach (var codes in new[] { DynamicCodes.Signed, DynamicCodes.Unsigned })
        {
            using var average = RunningAverage.ZerosInCodes("average", [3, 100], codes, Device.Cpu);
            Assert.All(average.Read().ToArray<float>(), number => Assert.Equal(0, number));
            average.Write(Tensor.Zeros([3, 100], DType.Float32));
            Assert.All(average.Read().ToArray<float>(), number => Assert.Equal(0, number));
            Assert.Equal(300 + 2 * sizeof(float), average.ByteCount);
        }
    }

    /// <summary>Runs a rule that takes given numbers for averages, twice: the second pass shows what it read in the weights.</summary>
    private static void Compare(float[] first, float[] second)
    {
        var size = first.Length;
        using var averages = Pair(size);
        using var plain = Pair(size);
        plain.First.Write(Tensor.From(first));
        plain.Second.Write(Tensor.From(second));
        var weights = Tensor.From(second);
        new FusedUpdate(weights, null, Tensor.From(first), [averages.First, averages.Second], 1, default, default).Run<Take>();
        Assert.Equal(plain.First.Numbers.ToArray<byte>(), averages.First.Numbers.ToArray<byte>());
        Assert.Equal(plain.Second.Numbers.ToArray<byte>(), averages.Second.Numbers.ToArray<byte>());
        Assert.Equal(plain.First.Scales!.ToArray<float>(), averages.First.Scales!.ToArray<float>());
        Assert.Equal(plain.Second.Scales!.ToArray<float>(), averages.Second.Scales!.ToArray<float>());
        var sums = Tensor.Zeros([size], DType.Float32);
        new FusedUpdate(sums, null, Tensor.From(first), [averages.First, averages.Second], 1, default, default).Run<Read>();
        Assert.Equal(plain.First.Read().Add(plain.Second.Read()).ToArray<float>(), sums.ToArray<float>());
    }

    private static AveragePair Pair(int size) => new(
        RunningAverage.ZerosInCodes("first", [size], DynamicCodes.Signed, Device.Cpu),
        RunningAverage.ZerosInCodes("second", [size], DynamicCodes.Unsigned, Device.Cpu));

    /// <summary>Numbers over many decades, some of them zero.</summary>
    private static float[] Numbers(int count, bool isSigned, int seed)
    {
        var random = new Random(seed);
        return
        [
            .. Enumerable.Range(0, count).Select(i => i % 17 == 0 ? 0 : (float)Math.Pow(10, -9 * random.NextDouble()))
                .Select(size => isSigned && random.Next(2) == 0 ? -size : size),
        ];
    }

    /// <summary>Every middle between two codes and its neighbours, in blocks whose scale is 1.</summary>
    private static float[] Edges(DynamicCodes codes, bool isSigned)
    {
        float[] near = [.. codes.Middles.SelectMany(middle => new[] { MathF.BitDecrement(middle), middle, MathF.BitIncrement(middle) })];
        if (isSigned)
            near = [.. near, .. near.Select(number => -number)];
        return [.. near.Chunk(255).SelectMany(block => block.Prepend(1))];
    }

    private sealed record AveragePair(RunningAverage First, RunningAverage Second) : IDisposable
    {
        public void Dispose()
        {
            First.Dispose();
            Second.Dispose();
        }
    }

    private readonly struct Take : IVectorRule
    {
        public static int StateCount => 2;

        public static V Next<V>(V weights, V gradient, ref V first, ref V second, in VectorNumbers<V> numbers) where V : unmanaged,
            ILanes<V>
        {
            (first, second) = (gradient, weights);
            return weights;
        }
    }

    private readonly struct Read : IVectorRule
    {
        public static int StateCount => 2;

        public static V Next<V>(V weights, V gradient, ref V first, ref V second, in VectorNumbers<V> numbers) where V : unmanaged,
            ILanes<V> =>
            first + second;
    }
}
