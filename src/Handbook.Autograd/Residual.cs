using System.Runtime.CompilerServices;
using Handbook.Autograd.Kernels;
using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>The sum of a stream and what a block adds to it.</summary>
public static class Residual
{
    /// <summary>Adds two tensors of one shape and type; the gradient reaches both as it is, without a copy.</summary>
    public static Variable Add(Tape tape, Variable stream, Variable delta) =>
        tape.Record(Sum(stream.Value, delta.Value), [stream, delta], [], (gradient, _) =>
        {
            stream.Accumulate(gradient.Alias());
            delta.Accumulate(gradient.Alias());
        });

    /// <summary>The same values under a variable of their own; the gradient passes unchanged.</summary>
    public static Variable Pass(Tape tape, Variable values) =>
        tape.Record(values.Value.Alias(), [values], [], (gradient, _) => values.Accumulate(gradient.Alias()));

    /// <summary>a + b, rounded to the type.</summary>
    internal static Tensor Sum(Tensor a, Tensor b) => Elementwise.Applies(a, b) ? Elementwise.Map(new SumKernel(), a, b) : a.Add(b);

    private readonly struct SumKernel : IElementwiseKernel
    {
        public static int InputCount => 2;

        public static int OutputCount => 1;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Next<V>(V a, V b, V c, long index, out V first, out V second) where V : unmanaged, ILanes<V>
        {
            first = a + b;
            second = default;
        }
    }
}
