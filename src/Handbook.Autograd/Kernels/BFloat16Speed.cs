using System.Diagnostics;
using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>
/// Whether bfloat16 products pay on this machine: block products of both types are timed against each other, once in a process, which
/// takes some milliseconds. The fastest of several runs by turns counts, so that neighbours on the machine hardly matter.
/// </summary>
public static unsafe class BFloat16Speed
{
    // Widening gives 0.4 to 1, Intel's AVX512-BF16 without AMX 0.6, AMD's 1.7 and AMX more: nothing known lies near the bound.
    private const double LeastGain = 1.25;
    private const int Rounds = 12;
    private const int Rows = 128;
    private const int Columns = 192;
    private const int Depth = 512;

    private static readonly Lazy<double> Measured = new(Measure);

    /// <summary>The rate of bfloat16 products over that of float32 products.</summary>
    public static double Ratio => Measured.Value;

    /// <summary>True when computing in bfloat16 is worth its roundings.</summary>
    public static bool IsFast => Ratio >= LeastGain;

    private static double Measure()
    {
        using var scope = new TensorScope();
        var (left, right) = (Filled(Rows, Depth), Filled(Depth, Columns));
        var (narrowLeft, narrowRight) = (left.To(DType.BFloat16), right.To(DType.BFloat16));
        if (!FusedKernels.MultipliesBlocks)
            return Ratios(() => left.MatMul(right).Dispose(), () => narrowLeft.MatMul(narrowRight).Dispose());
        var sums = (nint)Tensor.Empty([Rows, Columns], DType.Float32).Pointer;
        var (a, b, narrowA, narrowB) = ((nint)left.Pointer, (nint)right.Pointer, (nint)narrowLeft.Pointer, (nint)narrowRight.Pointer);
        var narrow = FusedKernels.ForWidth<Product>(BlockProduct<Lanes16>.Multiply, BlockProduct<Lanes8>.Multiply,
            BlockProduct<Lanes4>.Multiply);
        var ratio = Ratios(
            () => CpuMatrixKernels.Multiply(
                Rows, Columns, Depth, (float*)a, Depth, (float*)b, Columns, (float*)sums, Columns, accumulate: false),
            () => narrow(
                Rows, Columns, Depth, (ushort*)narrowA, Depth, (ushort*)narrowB, Columns, (float*)sums, Columns, accumulate: false));
        CpuMatrixKernels.Release();
        return ratio;
    }

    private delegate void Product(
        long m, long n, long k, ushort* a, long strideA, ushort* b, long strideB, float* c, long strideC, bool accumulate);

    private static double Ratios(Action single, Action narrow)
    {
        var (singleSeconds, narrowSeconds) = (Seconds(single), Seconds(narrow));
        for (var round = 0; round < Rounds; round++)
            (singleSeconds, narrowSeconds) = (Math.Min(singleSeconds, Seconds(single)), Math.Min(narrowSeconds, Seconds(narrow)));
        return singleSeconds / narrowSeconds;
    }

    private static double Seconds(Action product)
    {
        var start = Stopwatch.GetTimestamp();
        product();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>Small varied numbers: zeros and denormals run at other speeds than real data.</summary>
    private static Tensor Filled(long rows, long columns)
    {
        var numbers = Tensor.Empty([rows, columns], DType.Float32);
        var data = numbers.Span<float>();
        for (var i = 0; i < data.Length; i++)
            data[i] = (i % 251 - 125) / 256f;
        return numbers;
    }
}
