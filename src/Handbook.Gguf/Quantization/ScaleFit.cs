namespace Handbook.Gguf.Quantization;

/// <summary>
/// Scale of a group, x = scale (q - half), with the smallest squared error (an element counts by its square) among those that nineteen
/// widths around the plain one give: for each, codes by rounding, then the scale by least squares for these codes.
/// </summary>
internal static class ScaleFit
{
    /// <summary>Below this everything counts as zero.</summary>
    public const float Nothing = 1e-15f;

    private const int Steps = 9;

    /// <summary>Fits a group.</summary>
    /// <param name="x">The group.</param>
    /// <param name="half">Codes go from 0 to 2 half - 1.</param>
    /// <param name="codes">Gets the codes.</param>
    public static float Of(ReadOnlySpan<float> x, int half, Span<byte> codes)
    {
        var furthest = 0f;
        foreach (var value in x)
        {
            if (MathF.Abs(value) > MathF.Abs(furthest))
                furthest = value;
        }
        codes.Clear();
        if (MathF.Abs(furthest) < Nothing)
            return 0;
        var (sumXl, sumL2) = Sums(x, -half / furthest, half);
        Codes(x, -half / furthest, half, codes);
        var scale = sumL2 != 0 ? sumXl / sumL2 : 0;
        var best = scale * sumXl;
        for (var step = -Steps; step <= Steps; step++)
        {
            if (step == 0)
                continue;
            var inverse = -(half + 0.1f * step) / furthest;
            (sumXl, sumL2) = Sums(x, inverse, half);
            if (sumL2 > 0 && sumXl * sumXl > best * sumL2)
            {
                Codes(x, inverse, half, codes);
                scale = sumXl / sumL2;
                best = scale * sumXl;
            }
        }
        return scale;
    }

    private static (float SumXl, float SumL2) Sums(ReadOnlySpan<float> x, float inverse, int half)
    {
        var (sumXl, sumL2) = (0f, 0f);
        foreach (var value in x)
        {
            var code = Code(value, inverse, half);
            var weight = value * value;
            sumXl += weight * value * code;
            sumL2 += weight * code * code;
        }
        return (sumXl, sumL2);
    }

    private static void Codes(ReadOnlySpan<float> x, float inverse, int half, Span<byte> codes)
    {
        for (var i = 0; i < x.Length; i++)
            codes[i] = (byte)(Code(x[i], inverse, half) + half);
    }

    private static int Code(float value, float inverse, int half) => Math.Clamp(Rounded.Even(inverse * value), -half, half - 1);
}
