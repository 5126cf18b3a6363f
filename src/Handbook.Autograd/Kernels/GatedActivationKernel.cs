using System.Runtime.CompilerServices;
using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>Products of gates, and their derivatives, for float32 and bfloat16 in host memory.</summary>
internal static class GatedActivationKernel
{
    internal static Tensor Forward(Tensor gate, Tensor up, ActivationKind kind) => kind switch
    {
        ActivationKind.Silu => Elementwise.Map(new ProductKernel<SiluVector>(), gate, up),
        ActivationKind.Gelu => Elementwise.Map(new ProductKernel<GeluVector>(), gate, up),
        ActivationKind.GeluTanh => Elementwise.Map(new ProductKernel<GeluTanhVector>(), gate, up),
        _ => Elementwise.Map(new ProductKernel<ReluVector>(), gate, up),
    };

    internal static (Tensor Gate, Tensor Up) Backward(Tensor gradient, Tensor gate, Tensor up, ActivationKind kind) => kind switch
    {
        ActivationKind.Silu => Elementwise.Map2(new GradientKernel<SiluVector>(), gradient, gate, up),
        ActivationKind.Gelu => Elementwise.Map2(new GradientKernel<GeluVector>(), gradient, gate, up),
        ActivationKind.GeluTanh => Elementwise.Map2(new GradientKernel<GeluTanhVector>(), gradient, gate, up),
        _ => Elementwise.Map2(new GradientKernel<ReluVector>(), gradient, gate, up),
    };

    private readonly struct ProductKernel<TActivation> : IElementwiseKernel where TActivation : IActivationVector
    {
        public static int InputCount => 2;

        public static int OutputCount => 1;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Next<V>(V a, V b, V c, long index, out V first, out V second) where V : unmanaged, ILanes<V>
        {
            first = TActivation.Value(a) * b;
            second = default;
        }
    }

    private readonly struct GradientKernel<TActivation> : IElementwiseKernel where TActivation : IActivationVector
    {
        public static int InputCount => 3;

        public static int OutputCount => 2;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Next<V>(V a, V b, V c, long index, out V first, out V second) where V : unmanaged, ILanes<V>
        {
            var (value, derivative) = TActivation.ValueAndDerivative(b);
            first = a * c * derivative;
            second = a * value;
        }
    }
}
