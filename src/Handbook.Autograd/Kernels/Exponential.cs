using System.Runtime.CompilerServices;

namespace Handbook.Autograd.Kernels;

/// <summary>Powers of two in SIMD registers.</summary>
internal static class Exponential
{
    /// <summary>log2(e): exp(x) = 2^(x * this).</summary>
    internal const double LogOfE = 1.4426950408889634;

    /// <summary>ln(2): ln(x) = log2(x) * this.</summary>
    internal const double NaturalLogOfTwo = 0.6931471805599453;

    /// <summary>
    /// 2^x with a relative error below 4e-7; 2^0 is exactly 1 and 2^-infinity exactly 0. Between whole powers it is
    /// 1 + r q(r), q the polynomial of degree 4 that meets (2^r - 1)/r at the five Chebyshev nodes of [0, 1].
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V PowerOfTwo<V>(V x) where V : unmanaged, ILanes<V>
    {
        var r = V.Fraction(x);
        var q = V.Create(0.0017883688f);
        q = V.MultiplyAdd(q, r, V.Create(0.009199387f));
        q = V.MultiplyAdd(q, r, V.Create(0.055657055f));
        q = V.MultiplyAdd(q, r, V.Create(0.2402072f));
        q = V.MultiplyAdd(q, r, V.Create(0.69314754f));
        q = V.MultiplyAdd(q, r, V.Create(1));
        return V.Scale(q, x);
    }
}
