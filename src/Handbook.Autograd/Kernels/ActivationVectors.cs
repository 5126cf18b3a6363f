using System.Runtime.CompilerServices;

namespace Handbook.Autograd.Kernels;

/// <summary>A non-linearity for a register of elements.</summary>
internal interface IActivationVector
{
    /// <summary>Its value.</summary>
    static abstract V Value<V>(V x) where V : unmanaged, ILanes<V>;

    /// <summary>Its value and its derivative, which share most of their work.</summary>
    static abstract (V Value, V Derivative) ValueAndDerivative<V>(V x) where V : unmanaged, ILanes<V>;
}

/// <summary><see cref="ActivationKind.Silu"/>.</summary>
internal readonly struct SiluVector : IActivationVector
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Value<V>(V x) where V : unmanaged, ILanes<V> => x / (V.Create(1) + VectorMath.Exp(-x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (V Value, V Derivative) ValueAndDerivative<V>(V x) where V : unmanaged, ILanes<V>
    {
        var sigmoid = VectorMath.Sigmoid(x);
        var value = x * sigmoid;
        return (value, V.MultiplyAdd(value, V.Create(1) - sigmoid, sigmoid));
    }
}

/// <summary><see cref="ActivationKind.Gelu"/>.</summary>
internal readonly struct GeluVector : IActivationVector
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Value<V>(V x) where V : unmanaged, ILanes<V> => x * Distribution(x).Cumulative;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (V Value, V Derivative) ValueAndDerivative<V>(V x) where V : unmanaged, ILanes<V>
    {
        var (cumulative, density) = Distribution(x);
        return (x * cumulative, V.MultiplyAdd(x, density, cumulative));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (V Cumulative, V Density) Distribution<V>(V x) where V : unmanaged, ILanes<V>
    {
        var scaled = x * V.Create(0.70710678f);
        var bell = VectorMath.Exp(-scaled * scaled);
        var half = V.Create(0.5f);
        return (V.MultiplyAdd(VectorMath.Erf(scaled, bell), half, half), bell * V.Create(0.39894228f));
    }
}

/// <summary><see cref="ActivationKind.GeluTanh"/>: (1 + tanh u) / 2 is sigmoid(2u).</summary>
internal readonly struct GeluTanhVector : IActivationVector
{
    private const float TwoRootTwoOverPi = 1.59576912f;
    private const float Cubic = 0.044715f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Value<V>(V x) where V : unmanaged, ILanes<V> => x * VectorMath.Sigmoid(Argument(x, x * x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (V Value, V Derivative) ValueAndDerivative<V>(V x) where V : unmanaged, ILanes<V>
    {
        var square = x * x;
        var sigmoid = VectorMath.Sigmoid(Argument(x, square));
        var value = x * sigmoid;
        var slope = V.MultiplyAdd(square, V.Create(3 * Cubic * TwoRootTwoOverPi), V.Create(TwoRootTwoOverPi));
        return (value, V.MultiplyAdd(value * (V.Create(1) - sigmoid), slope, sigmoid));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Argument<V>(V x, V square) where V : unmanaged, ILanes<V> =>
        x * V.MultiplyAdd(square, V.Create(Cubic * TwoRootTwoOverPi), V.Create(TwoRootTwoOverPi));
}

/// <summary><see cref="ActivationKind.Relu"/>; the slope at 0 is 0.</summary>
internal readonly struct ReluVector : IActivationVector
{
    // Written so that a NaN stays one.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Value<V>(V x) where V : unmanaged, ILanes<V> =>
        V.Select(V.GreaterThan(default, x), default, x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (V Value, V Derivative) ValueAndDerivative<V>(V x) where V : unmanaged, ILanes<V> =>
        (Value(x), V.Select(V.GreaterThan(x, default(V)), V.Create(1), default(V)));
}
