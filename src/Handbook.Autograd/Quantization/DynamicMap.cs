namespace Handbook.Autograd.Quantization;

/// <summary>
/// 256 numbers in [-1, 1] for codes of 8 bits: decades share the bits between their exponent and their fraction, so that small numbers
/// keep their relative precision (dynamic tree quantisation; Dettmers 2016, arXiv:1511.04561).
/// </summary>
public static class DynamicMap
{
    private const int Decades = 7;

    /// <summary>The numbers, ascending; a code is a place in the list.</summary>
    public static IReadOnlyList<float> Signed { get; } = Make();

    /// <summary>The middles between neighbours: a number's code is how many of them are less.</summary>
    internal static float[] Middles { get; } = [.. Signed.Zip(Signed.Skip(1), (low, high) => (low + high) / 2)];

    private static float[] Make()
    {
        var numbers = new List<float> { 0, 1 };
        for (var decade = 0; decade < Decades; decade++)
        {
            var unit = (float)Math.Pow(10, decade - Decades + 1);
            var steps = 1 << decade;
            for (var step = 0; step < steps; step++)
            {
                var number = unit * ((Bound(step, steps) + Bound(step + 1, steps)) / 2);
                numbers.AddRange([number, -number]);
            }
        }
        numbers.Sort();
        return [.. numbers];
    }

    /// <summary>
    /// 0.1 to 1 in equal steps, counted from the nearer end; where there are many, from every eighth, which rounds otherwise: as PyTorch's
    /// <c>linspace</c> has it on AVX2, and so the maps of checkpoints.
    /// </summary>
    private static float Bound(int place, int steps)
    {
        var width = (1 - 0.1f) / steps;
        var from = steps >= 16 && place < steps ? place / 8 * 8 : place;
        var near = from < (steps + 1) / 2 ? MathF.FusedMultiplyAdd(width, from, 0.1f) : MathF.FusedMultiplyAdd(-width, steps - from, 1);
        return near + width * (place - from);
    }
}
