using System.Runtime.CompilerServices;
using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>A formula that gives up to two outputs from up to three inputs, element by element; its fields are its numbers.</summary>
internal interface IElementwiseKernel
{
    /// <summary>Inputs that it reads: 1 to 3.</summary>
    static abstract int InputCount { get; }

    /// <summary>Outputs that it writes: 1 or 2.</summary>
    static abstract int OutputCount { get; }

    /// <summary>A register of elements; <paramref name="index"/> is the number of the first.</summary>
    void Next<V>(V a, V b, V c, long index, out V first, out V second) where V : unmanaged, ILanes<V>;
}

/// <summary>Runs element-wise kernels over tensors of one shape and type; the result does not depend on the number of threads.</summary>
internal static unsafe class Elementwise
{
    private delegate void Pass<TKernel>(TKernel kernel, ReadOnlySpan<Tensor> inputs, Tensor first, Tensor? second);

    private const int Block = 1 << 14;

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

    /// <summary>True when the tensors can go through a kernel together: see <see cref="KernelTable.Runs"/>,
    /// and of one shape and type.</summary>
    internal static bool Applies(params ReadOnlySpan<Tensor> tensors)
    {
        foreach (var tensor in tensors[1..])
        {
            if (tensor.DType != tensors[0].DType || !tensor.Shape.SequenceEqual(tensors[0].Shape))
                return false;
        }
        return KernelTable.Runs(Operation.Elementwise, tensors);
    }

    private static void Run<TKernel>(TKernel kernel, ReadOnlySpan<Tensor> inputs, Tensor first, Tensor? second)
        where TKernel : struct, IElementwiseKernel =>
        FusedKernels.ForWidth<Pass<TKernel>>(
            Run<TKernel, Lanes16>, Run<TKernel, Lanes8>, Run<TKernel, Lanes4>)(kernel, inputs, first, second);

    private static void Run<TKernel, V>(TKernel kernel, ReadOnlySpan<Tensor> inputs, Tensor first, Tensor? second)
        where TKernel : struct, IElementwiseKernel
        where V : unmanaged, ILanes<V>
    {
        if (first.DType == DType.Float32)
            Run<TKernel, float, SingleAccess, V>(kernel, inputs, first, second);
        else
            Run<TKernel, ushort, BFloat16Access, V>(kernel, inputs, first, second);
    }

    private static void Run<TKernel, T, TAccess, V>(TKernel kernel, ReadOnlySpan<Tensor> inputs, Tensor first, Tensor? second)
        where TKernel : struct, IElementwiseKernel
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
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
            for (; i + V.Count <= end; i += V.Count)
                Step<TKernel, T, TAccess, V>(formula, a + i, b + i, c + i, x + i, y + i, i);
            if (i == end)
                return;
            // The last, incomplete vector goes through buffers, so that its elements get the very same arithmetic.
            var buffer = stackalloc T[5 * V.Count];
            var bytes = (uint)((end - i) * sizeof(T));
            Unsafe.CopyBlock(buffer, a + i, bytes);
            Unsafe.CopyBlock(buffer + V.Count, b + i, bytes);
            Unsafe.CopyBlock(buffer + 2 * V.Count, c + i, bytes);
            Step<TKernel, T, TAccess, V>(
                formula, buffer, buffer + V.Count, buffer + 2 * V.Count, buffer + 3 * V.Count, buffer + 4 * V.Count, i);
            Unsafe.CopyBlock(x + i, buffer + 3 * V.Count, bytes);
            if (TKernel.OutputCount > 1)
                Unsafe.CopyBlock(y + i, buffer + 4 * V.Count, bytes);
        });
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step<TKernel, T, TAccess, V>(in TKernel kernel, T* a, T* b, T* c, T* x, T* y, long index)
        where TKernel : struct, IElementwiseKernel
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        kernel.Next(
            TAccess.Load<V>(a),
            TKernel.InputCount > 1 ? TAccess.Load<V>(b) : default,
            TKernel.InputCount > 2 ? TAccess.Load<V>(c) : default,
            index,
            out var first,
            out var second);
        TAccess.Store(first, x);
        if (TKernel.OutputCount > 1)
            TAccess.Store(second, y);
    }
}
