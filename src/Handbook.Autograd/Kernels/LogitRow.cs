namespace Handbook.Autograd.Kernels;

/// <summary>What passes over one row of logits tell.</summary>
internal static unsafe class LogitRow
{
    // Sums of so many in float32 join one in float64.
    private const int Strip = 1024;

    /// <summary>The place of the largest, the first of equals.</summary>
    internal static int ArgMax(ReadOnlySpan<float> logits)
    {
        fixed (float* data = logits)
        {
            var largest = FusedKernels.ForWidth<Largest>(LargestOf<Lanes16>, LargestOf<Lanes8>, LargestOf<Lanes4>)(data, logits.Length);
            // Of what is no number there is no largest.
            return Math.Max(0, logits.IndexOf(largest));
        }
    }

    /// <summary>log Σ exp(logit).</summary>
    /// <param name="logits">The row.</param>
    /// <param name="largest">Its largest number.</param>
    internal static double LogSumExp(ReadOnlySpan<float> logits, float largest)
    {
        fixed (float* data = logits)
            return largest + Math.Log(
                FusedKernels.ForWidth<Sum>(SumOf<Lanes16>, SumOf<Lanes8>, SumOf<Lanes4>)(data, logits.Length, largest));
    }

    private delegate float Largest(float* data, int count);

    private delegate double Sum(float* data, int count, float largest);

    private static float LargestOf<V>(float* data, int count) where V : unmanaged, ILanes<V>
    {
        var largest = float.NegativeInfinity;
        var i = 0;
        if (count >= V.Count)
        {
            var most = V.Load(data);
            for (; i + V.Count <= count; i += V.Count)
                most = V.Max(most, V.Load(data + i));
            for (var lane = 0; lane < V.Count; lane++)
                largest = MathF.Max(largest, most[lane]);
        }
        for (; i < count; i++)
            largest = MathF.Max(largest, data[i]);
        return largest;
    }

    private static double SumOf<V>(float* data, int count, float largest) where V : unmanaged, ILanes<V>
    {
        var (offset, factor) = (V.Create(-largest), V.Create((float)Exponential.LogOfE));
        var (total, i) = (0.0, 0);
        while (i + V.Count <= count)
        {
            V sums = default;
            for (var end = Math.Min(count, i + Strip); i + V.Count <= end; i += V.Count)
                sums += Exponential.PowerOfTwo((V.Load(data + i) + offset) * factor);
            total += V.Sum(sums);
        }
        for (; i < count; i++)
            total += MathF.Exp(data[i] - largest);
        return total;
    }
}
