using System.Diagnostics;
using Handbook.Torch;

namespace Handbook.Benchmarks;

/// <summary>What this machine can do at best, measured in this process: the yardstick that a step is held against.</summary>
/// <param name="MatrixFlops">Floating-point operations a second of square products, by element type.</param>
/// <param name="MemoryBytes">Bytes a second of a large copy, read and written.</param>
public sealed record MachineRates(IReadOnlyDictionary<DType, double> MatrixFlops, double MemoryBytes)
{
    private const int Repetitions = 5;
    private static readonly long[] Sizes = [1024, 2048, 4096];

    /// <summary>Measures: for each type the best, over sizes 1024, 2048 and 4096, of the median rate of a product.</summary>
    /// <param name="withMemory">Measure the memory rate too, which takes half a gigabyte; else it is 0.</param>
    /// <param name="dtypes">Element types of the products.</param>
    public static MachineRates Measure(bool withMemory, params ReadOnlySpan<DType> dtypes)
    {
        var rates = new Dictionary<DType, double>();
        foreach (var dtype in dtypes)
            rates[dtype] = Sizes.Max(size => MatrixRate(size, dtype));
        return new MachineRates(rates, withMemory ? MemoryRate() : 0);
    }

    /// <summary>For each quantity the better of two measurements, as taken before and after what is held against them.</summary>
    public static MachineRates Best(MachineRates first, MachineRates second) => new(
        first.MatrixFlops.ToDictionary(rate => rate.Key, rate => Math.Max(rate.Value, second.MatrixFlops[rate.Key])),
        Math.Max(first.MemoryBytes, second.MemoryBytes));

    private static double MatrixRate(long size, DType dtype)
    {
        using var scope = new TensorScope();
        // Small varied numbers: zeros and denormals run at other speeds than real data.
        var numbers = Tensor.Empty([size, size], DType.Float32);
        var data = numbers.Span<float>();
        for (var i = 0; i < data.Length; i++)
            data[i] = (i % 251 - 125) / 256f;
        var left = numbers.To(dtype);
        var right = left.Transpose(0, 1).Contiguous();
        return 2.0 * size * size * size / MedianSeconds(() => left.MatMul(right).Dispose());
    }

    private static double MemoryRate()
    {
        using var scope = new TensorScope();
        var source = Tensor.Zeros([64 << 20], DType.Float32);
        var target = Tensor.Zeros([64 << 20], DType.Float32);
        return 2.0 * source.ByteCount / MedianSeconds(() => target.CopyFrom(source));
    }

    private static double MedianSeconds(Action work)
    {
        work();
        var seconds = new double[Repetitions];
        for (var i = 0; i < Repetitions; i++)
        {
            var start = Stopwatch.GetTimestamp();
            work();
            seconds[i] = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
        Array.Sort(seconds);
        return seconds[Repetitions / 2];
    }
}
