using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Handbook.Autograd.Kernels;

/// <summary>A non-linearity for sixteen elements.</summary>
internal interface IActivationVector
{
    /// <summary>Its value.</summary>
    static abstract Vector512<float> Value(Vector512<float> x);

    /// <summary>Its value and its derivative, which share most of their work.</summary>
    static abstract (Vector512<float> Value, Vector512<float> Derivative) ValueAndDerivative(Vector512<float> x);
}

/// <summary><see cref="ActivationKind.Silu"/>.</summary>
internal readonly struct SiluVector : IActivationVector
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Value(Vector512<float> x) => x / (Vector512<float>.One + VectorMath.Exp(-x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector512<float> Value, Vector512<float> Derivative) ValueAndDerivative(Vector512<float> x)
    {
        var sigmoid = VectorMath.Sigmoid(x);
        var value = x * sigmoid;
        return (value, Vector512.FusedMultiplyAdd(value, Vector512<float>.One - sigmoid, sigmoid));
    }
}

/// <summary><see cref="ActivationKind.Gelu"/>.</summary>
internal readonly struct GeluVector : IActivationVector
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Value(Vector512<float> x) => x * Distribution(x).Cumulative;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector512<float> Value, Vector512<float> Derivative) ValueAndDerivative(Vector512<float> x)
    {
        var (cumulative, density) = Distribution(x);
        return (x * cumulative, Vector512.FusedMultiplyAdd(x, density, cumulative));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<float> Cumulative, Vector512<float> Density) Distribution(Vector512<float> x)
    {
        var scaled = x * Vector512.Create(0.70710678f);
        var bell = VectorMath.Exp(-scaled * scaled);
        var half = Vector512.Create(0.5f);
        return (Vector512.FusedMultiplyAdd(VectorMath.Erf(scaled, bell), half, half), bell * Vector512.Create(0.39894228f));
    }
}

/// <summary><see cref="ActivationKind.GeluTanh"/>: (1 + tanh u) / 2 is sigmoid(2u).</summary>
internal readonly struct GeluTanhVector : IActivationVector
{
    private const float TwoRootTwoOverPi = 1.59576912f;
    private const float Cubic = 0.044715f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Value(Vector512<float> x) => x * VectorMath.Sigmoid(Argument(x, x * x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector512<float> Value, Vector512<float> Derivative) ValueAndDerivative(Vector512<float> x)
    {
        var square = x * x;
        var sigmoid = VectorMath.Sigmoid(Argument(x, square));
        var value = x * sigmoid;
        var slope = Vector512.FusedMultiplyAdd(square, Vector512.Create(3 * Cubic * TwoRootTwoOverPi), Vector512.Create(TwoRootTwoOverPi));
        return (value, Vector512.FusedMultiplyAdd(value * (Vector512<float>.One - sigmoid), slope, sigmoid));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Argument(Vector512<float> x, Vector512<float> square) =>
        x * Vector512.FusedMultiplyAdd(square, Vector512.Create(Cubic * TwoRootTwoOverPi), Vector512.Create(TwoRootTwoOverPi));
}

/// <summary><see cref="ActivationKind.Relu"/>; the slope at 0 is 0.</summary>
internal readonly struct ReluVector : IActivationVector
{
    // Written so that a NaN stays one.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Value(Vector512<float> x) =>
        Vector512.ConditionalSelect(Vector512.LessThanOrEqual(x, Vector512<float>.Zero), Vector512<float>.Zero, x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector512<float> Value, Vector512<float> Derivative) ValueAndDerivative(Vector512<float> x) =>
        (Value(x), Vector512.ConditionalSelect(Vector512.GreaterThan(x, Vector512<float>.Zero), Vector512<float>.One, Vector512<float>.Zero));
}
