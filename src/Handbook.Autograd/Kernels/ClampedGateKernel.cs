using System.Runtime.CompilerServices;
using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>Products of clamped gates, and their derivatives, for float32 and bfloat16 in host memory.</summary>
internal static class ClampedGateKernel
{
    internal static Tensor Forward(Tensor gate, Tensor up, double alpha, double limit) =>
        Elementwise.Map(new ProductKernel((float)alpha, (float)limit), gate, up);

    internal static (Tensor Gate, Tensor Up) Backward(Tensor gradient, Tensor gate, Tensor up, double alpha, double limit) =>
        Elementwise.Map2(new GradientKernel((float)alpha, (float)limit), gradient, gate, up);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Within<V>(V x, float limit) where V : unmanaged, ILanes<V> => V.Max(V.Min(x, V.Create(limit)), V.Create(-limit));

    private readonly struct ProductKernel(float alpha, float limit) : IElementwiseKernel
    {
        public static int InputCount => 2;

        public static int OutputCount => 1;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Next<V>(V a, V b, V c, long index, out V first, out V second) where V : unmanaged, ILanes<V>
        {
            var gate = V.Min(a, V.Create(limit));
            first = gate * VectorMath.Sigmoid(gate * alpha) * (Within(b, limit) + V.Create(1));
            second = default;
        }
    }

    private readonly struct GradientKernel(float alpha, float limit) : IElementwiseKernel
    {
        public static int InputCount => 3;

        public static int OutputCount => 2;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Next<V>(V a, V b, V c, long index, out V first, out V second) where V : unmanaged, ILanes<V>
        {
            var (gate, up) = (V.Min(b, V.Create(limit)), Within(c, limit));
            var odds = VectorMath.Sigmoid(gate * alpha);
            var slope = V.MultiplyAdd(gate * odds * alpha, V.Create(1) - odds, odds);
            first = V.Select(V.GreaterThan(b, V.Create(limit)), default, a * (up + V.Create(1)) * slope);
            second = V.Select(V.Equals(up, c), a * gate * odds, default);
        }
    }
}
