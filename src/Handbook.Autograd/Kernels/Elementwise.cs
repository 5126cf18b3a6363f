using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>A formula that gives up to two outputs from up to three inputs, element by element; its fields are its numbers.</summary>
internal interface IElementwiseKernel
{
    /// <summary>Inputs that it reads: 1 to 3.</summary>
    static abstract int InputCount { get; }

    /// <summary>Outputs that it writes: 1 or 2.</summary>
    static abstract int OutputCount { get; }

    /// <summary>Sixteen elements; <paramref name="index"/> is the number of the first.</summary>
    void Next(Vector512<float> a, Vector512<float> b, Vector512<float> c, long index, out Vector512<float> first, out Vector512<float> second);
}

/// <summary>Runs element-wise kernels over tensors of one shape and type; the result does not depend on the number of threads.</summary>
internal static unsafe class Elementwise
{
    private const int Block = 1 << 14;
    private const int Lanes = 16;

    /// <summary>Computes one output.</summary>
    internal static Tensor Map<TKernel>(TKernel kernel, params ReadOnlySpan<Tensor> inputs) where TKernel : struct, IElementwiseKernel
    {
        var output = Tensor.Empty(inputs[0].Shape, inputs[0].DType);
        Run(kernel, inputs, output, null);
        return output;
    }

    /// <summary>Computes two outputs.</summary>
    internal static (Tensor First, Tensor Second) Map2<TKernel>(TKernel kernel, params ReadOnlySpan<Tensor> inputs)
        where TKernel : struct, IElementwiseKernel
    {
        var first = Tensor.Empty(inputs[0].Shape, inputs[0].DType);
        var second = Tensor.Empty(inputs[0].Shape, inputs[0].DType);
        Run(kernel, inputs, first, second);
        return (first, second);
    }

    /// <summary>True when the tensors can go through a kernel together: see <see cref="FusedKernels.Apply"/>, and of one shape and type.</summary>
    internal static bool Applies(params ReadOnlySpan<Tensor> tensors)
    {
        foreach (var tensor in tensors[1..])
        {
            if (tensor.DType != tensors[0].DType || !tensor.Shape.SequenceEqual(tensors[0].Shape))
                return false;
        }
        return FusedKernels.Apply(tensors);
    }

    private static void Run<TKernel>(TKernel kernel, ReadOnlySpan<Tensor> inputs, Tensor first, Tensor? second)
        where TKernel : struct, IElementwiseKernel
    {
        if (first.DType == DType.Float32)
            Run<TKernel, float, SingleAccess>(kernel, inputs, first, second);
        else
            Run<TKernel, ushort, BFloat16Access>(kernel, inputs, first, second);
    }

    private static void Run<TKernel, T, TAccess>(TKernel kernel, ReadOnlySpan<Tensor> inputs, Tensor first, Tensor? second)
        where TKernel : struct, IElementwiseKernel
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
    {
        var a = (T*)inputs[0].Pointer;
        var b = inputs.Length > 1 ? (T*)inputs[1].Pointer : a;
        var c = inputs.Length > 2 ? (T*)inputs[2].Pointer : a;
        var x = (T*)first.Pointer;
        var y = second is null ? x : (T*)second.Pointer;
        ParallelWork.ForBlocks(first.ElementCount, Block, (begin, end) =>
        {
            var formula = kernel;
            var i = begin;
            for (; i + Lanes <= end; i += Lanes)
                Step<TKernel, T, TAccess>(formula, a + i, b + i, c + i, x + i, y + i, i);
            if (i == end)
                return;
            // The last, incomplete vector goes through buffers, so that its elements get the very same arithmetic.
            var buffer = stackalloc T[5 * Lanes];
            var bytes = (uint)((end - i) * sizeof(T));
            Unsafe.CopyBlock(buffer, a + i, bytes);
            Unsafe.CopyBlock(buffer + Lanes, b + i, bytes);
            Unsafe.CopyBlock(buffer + 2 * Lanes, c + i, bytes);
            Step<TKernel, T, TAccess>(formula, buffer, buffer + Lanes, buffer + 2 * Lanes, buffer + 3 * Lanes, buffer + 4 * Lanes, i);
            Unsafe.CopyBlock(x + i, buffer + 3 * Lanes, bytes);
            if (TKernel.OutputCount > 1)
                Unsafe.CopyBlock(y + i, buffer + 4 * Lanes, bytes);
        });
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step<TKernel, T, TAccess>(in TKernel kernel, T* a, T* b, T* c, T* x, T* y, long index)
        where TKernel : struct, IElementwiseKernel
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
    {
        kernel.Next(
            TAccess.Load(a),
            TKernel.InputCount > 1 ? TAccess.Load(b) : default,
            TKernel.InputCount > 2 ? TAccess.Load(c) : default,
            index,
            out var first,
            out var second);
        TAccess.Store(first, x);
        if (TKernel.OutputCount > 1)
            TAccess.Store(second, y);
    }
}
