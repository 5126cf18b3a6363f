namespace Handbook.Gguf.Quantization;

/// <summary>
/// Scale and minimum of a group, x = scale q - minimum, with the smallest weighted squared error among those that twenty-one widths
/// around the plain one give: for each, codes by rounding, then scale and minimum by least squares for these codes.
/// </summary>
internal static class AffineFit
{
    private const int Steps = 20;
    private const float FirstStep = -1;
    private const float Step = 0.1f;

    /// <summary>Fits a group; an element counts by the root mean square of the group plus its own magnitude.</summary>
    /// <param name="x">The group.</param>
    /// <param name="most">The largest code.</param>
    /// <param name="codes">Gets the codes.</param>
    public static (float Scale, float Minimum) Of(ReadOnlySpan<float> x, int most, Span<byte> codes)
    {
        Span<float> weights = stackalloc float[x.Length];
        var (sumW, sumX) = Weigh(x, weights);
        var (low, high) = Range(x);
        if (high == low)
        {
            codes.Clear();
            return (0, -low);
        }
        var best = (Scale: 1 / (most / (high - low)), Low: low);
        Codes(x, most / (high - low), low, most, codes);
        var error = Error(x, weights, codes, best.Scale, low);
        Span<byte> tried = stackalloc byte[x.Length];
        // Widths and codes are taken from the minimum that is best so far, which moves.
        for (var step = 0; step <= Steps; step++)
        {
            Codes(x, (FirstStep + Step * step + most) / (high - best.Low), best.Low, most, tried);
            if (LeastSquares(x, weights, tried, sumW, sumX) is not { } fit)
                continue;
            var fitError = Error(x, weights, tried, fit.Scale, fit.Low);
            if (fitError < error)
            {
                tried.CopyTo(codes);
                (error, best) = (fitError, fit);
            }
        }
        return (best.Scale, -best.Low);
    }

    private static (float SumW, float SumX) Weigh(ReadOnlySpan<float> x, Span<float> weights)
    {
        var squares = 0f;
        foreach (var value in x)
            squares += value * value;
        var root = MathF.Sqrt(squares / x.Length);
        var (sumW, sumX) = (0f, 0f);
        for (var i = 0; i < x.Length; i++)
        {
            weights[i] = root + MathF.Abs(x[i]);
            sumW += weights[i];
            sumX += weights[i] * x[i];
        }
        return (sumW, sumX);
    }

    private static (float Low, float High) Range(ReadOnlySpan<float> x)
    {
        var (low, high) = (x[0], x[0]);
        foreach (var value in x)
        {
            low = value < low ? value : low;
            high = value > high ? value : high;
        }
        return (low > 0 ? 0 : low, high);
    }

    private static void Codes(ReadOnlySpan<float> x, float inverse, float low, int most, Span<byte> codes)
    {
        for (var i = 0; i < x.Length; i++)
            codes[i] = (byte)Math.Clamp(Rounded.Even(inverse * (x[i] - low)), 0, most);
    }

    private static (float Scale, float Low)? LeastSquares(
        ReadOnlySpan<float> x, ReadOnlySpan<float> weights, ReadOnlySpan<byte> codes, float sumW, float sumX)
    {
        var (sumL, sumL2, sumXl) = (0f, 0f, 0f);
        for (var i = 0; i < x.Length; i++)
        {
            var weighted = weights[i] * codes[i];
            sumL += weighted;
            sumL2 += weighted * codes[i];
            sumXl += weighted * x[i];
        }
        var determinant = sumW * sumL2 - sumL * sumL;
        if (!(determinant > 0))
            return null;
        var low = (sumL2 * sumX - sumL * sumXl) / determinant;
        return low > 0 ? (sumXl / sumL2, 0) : ((sumW * sumXl - sumX * sumL) / determinant, low);
    }

    private static float Error(ReadOnlySpan<float> x, ReadOnlySpan<float> weights, ReadOnlySpan<byte> codes, float scale, float low)
    {
        var error = 0f;
        for (var i = 0; i < x.Length; i++)
        {
            var difference = scale * codes[i] + low - x[i];
            error += weights[i] * (difference * difference);
        }
        return error;
    }
}
