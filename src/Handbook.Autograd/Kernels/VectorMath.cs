using System.Runtime.CompilerServices;

namespace Handbook.Autograd.Kernels;

/// <summary>Transcendental functions of a register of float32.</summary>
internal static class VectorMath
{
    /// <summary>
    /// eˣ within 2 units in the last place: 2ⁿ · e^r with n = round(x / ln 2) and the Taylor polynomial of e^r up to r⁶ on
    /// |r| ≤ ln 2 / 2 (Cody and Waite's reduction in two parts). Saturates at e^±87.3, short of overflow and of denormals.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Exp<V>(V x) where V : unmanaged, ILanes<V>
    {
        x = V.Min(V.Max(x, V.Create(-87.3f)), V.Create(87.3f));
        // Adding 1.5 * 2^23 leaves the nearest integer in the low bits of the sum.
        var magic = V.Create(12582912f);
        var shifted = V.MultiplyAdd(x, V.Create(1.44269504f), magic);
        var n = shifted - magic;
        var r = V.MultiplyAdd(n, V.Create(-0.693359375f), x);
        r = V.MultiplyAdd(n, V.Create(2.12194440e-4f), r);
        var p = V.MultiplyAdd(V.Create(1f / 720), r, V.Create(1f / 120));
        p = V.MultiplyAdd(p, r, V.Create(1f / 24));
        p = V.MultiplyAdd(p, r, V.Create(1f / 6));
        p = V.MultiplyAdd(p, r, V.Create(0.5f));
        p = V.MultiplyAdd(p, r, V.Create(1));
        p = V.MultiplyAdd(p, r, V.Create(1));
        return V.AddBits(p, V.ShiftLeft(shifted, 23));
    }

    /// <summary>1 / (1 + e⁻ˣ).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Sigmoid<V>(V x) where V : unmanaged, ILanes<V> => V.Create(1) / (V.Create(1) + Exp(-x));

    /// <summary>
    /// The error function within 1.5e-7 (Abramowitz and Stegun 7.1.26), given e^(-x²), which its caller needs anyway.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Erf<V>(V x, V expOfMinusSquare) where V : unmanaged, ILanes<V>
    {
        var sign = x & V.Create(-0f);
        var t = V.Create(1) / V.MultiplyAdd((x ^ sign), V.Create(0.3275911f), V.Create(1));
        var p = V.MultiplyAdd(V.Create(1.061405429f), t, V.Create(-1.453152027f));
        p = V.MultiplyAdd(p, t, V.Create(1.421413741f));
        p = V.MultiplyAdd(p, t, V.Create(-0.284496736f));
        p = V.MultiplyAdd(p, t, V.Create(0.254829592f));
        return (V.Create(1) - p * t * expOfMinusSquare) ^ sign;
    }
}
