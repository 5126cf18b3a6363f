using System.Runtime.CompilerServices;
using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>Activations and their derivatives, for float32 and bfloat16 in host memory.</summary>
internal static class ActivationKernel
{
    internal static Tensor Forward(Tensor x, ActivationKind kind) => kind switch
    {
        ActivationKind.Silu => Elementwise.Map(new ValueKernel<SiluVector>(), x),
        ActivationKind.Gelu => Elementwise.Map(new ValueKernel<GeluVector>(), x),
        ActivationKind.GeluTanh => Elementwise.Map(new ValueKernel<GeluTanhVector>(), x),
        _ => Elementwise.Map(new ValueKernel<ReluVector>(), x),
    };

    internal static Tensor Backward(Tensor gradient, Tensor x, ActivationKind kind) => kind switch
    {
        ActivationKind.Silu => Elementwise.Map(new GradientKernel<SiluVector>(), gradient, x),
        ActivationKind.Gelu => Elementwise.Map(new GradientKernel<GeluVector>(), gradient, x),
        ActivationKind.GeluTanh => Elementwise.Map(new GradientKernel<GeluTanhVector>(), gradient, x),
        _ => Elementwise.Map(new GradientKernel<ReluVector>(), gradient, x),
    };

    private readonly struct ValueKernel<TActivation> : IElementwiseKernel where TActivation : IActivationVector
    {
        public static int InputCount => 1;

        public static int OutputCount => 1;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Next<V>(V a, V b, V c, long index, out V first, out V second) where V : unmanaged, ILanes<V>
        {
            first = TActivation.Value(a);
            second = default;
        }
    }

    private readonly struct GradientKernel<TActivation> : IElementwiseKernel where TActivation : IActivationVector
    {
        public static int InputCount => 2;

        public static int OutputCount => 1;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Next<V>(V a, V b, V c, long index, out V first, out V second) where V : unmanaged, ILanes<V>
        {
            first = a * TActivation.ValueAndDerivative(b).Derivative;
            second = default;
        }
    }
}
