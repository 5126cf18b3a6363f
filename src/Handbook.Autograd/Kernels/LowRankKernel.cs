using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>What a pair of an adapter needs of a product's backward pass.</summary>
/// <param name="Input">The product's rows, [N, in].</param>
/// <param name="Output">Gradient of the product, [N, out].</param>
/// <param name="Down">A, [rank, in].</param>
/// <param name="Up">B, [out, rank].</param>
/// <param name="Scale">What the delta is multiplied with.</param>
/// <param name="Mask">What lies between the rows and A; null for nothing.</param>
internal sealed record LowRankCall(Tensor Input, Tensor Output, Tensor Down, Tensor Up, double Scale, DropoutMask? Mask)
{
    /// <summary>The product itself, [N, out], where its sum with the gradient over tokens is wanted; else null.</summary>
    internal Tensor? Product { get; init; }

    /// <summary>Where scale · Output · B A, through the mask, is added, [N, in]; null where nobody asks for it.</summary>
    internal Tensor? InputGradient { get; init; }
}

/// <summary>What came of it; sums over tokens are float32.</summary>
/// <param name="Down">Gradient of A, [rank, in].</param>
/// <param name="Up">Gradient of B, [out, rank].</param>
/// <param name="Narrow">scale · Output · B, [N, rank]: with A it is a term of the input's gradient.</param>
/// <param name="Products">Sums of product times gradient over tokens, [out]; null where there was no product.</param>
internal sealed record LowRankGradients(Tensor Down, Tensor Up, Tensor Narrow, Tensor? Products);

/// <summary>
/// The thin products of an adapter, whose cost is that of reading their operands: some rows at a time pass by while they lie in the
/// cache, dropout's mask is made and forgotten there, and the backward pass reads inputs and gradients once for all that it needs of
/// them.
/// </summary>
internal static unsafe class LowRankKernel
{
    /// <summary>Rows that are in the cache together.</summary>
    internal const int BlockRows = 128;

    private const int FewestRows = 32;

    /// <summary>Sums over tokens are made in so many parts at most, whatever the number of threads.</summary>
    private const int MostParts = 16;

    private delegate void Pass<TCall>(TCall call);

    /// <summary>True when rows may be led through A here.</summary>
    internal static bool Applies(Tensor rows, Tensor down) =>
        rows.DimensionCount == 2 && rows.Size(0) >= FewestRows && down.DimensionCount == 2 && down.DType == rows.DType
        && down.Size(0) % 2 == 0 && down.Size(1) % 2 == 0 && KernelTable.Runs(Operation.LowRank, rows, down);

    /// <summary>True when the backward pass of a pair may be made here.</summary>
    internal static bool Applies(Tensor rows, Tensor down, Tensor up, Tensor output) =>
        Applies(rows, down) && up.DType == rows.DType && up.DimensionCount == 2 && up.Size(0) % 2 == 0 && output.DType == rows.DType
        && KernelTable.Runs(Operation.LowRank, up, output);

    /// <summary>scale · mask(rows) · Aᵀ, [N, rank].</summary>
    internal static Tensor Narrow(Tensor rows, Tensor down, double scale, DropoutMask? mask)
    {
        var narrow = Tensor.Empty([rows.Size(0), down.Size(0)], rows.DType);
        var pass = new NarrowPass(rows, down, scale, mask, narrow);
        if (rows.DType == DType.Float32)
            FusedKernels.ForWidth<Pass<NarrowPass>>(Narrow<float, SingleBlocks<Lanes16>, Lanes16>,
                Narrow<float, SingleBlocks<Lanes8>, Lanes8>, Narrow<float, SingleBlocks<Lanes4>, Lanes4>)(pass);
        else
            FusedKernels.ForWidth<Pass<NarrowPass>>(Narrow<ushort, BFloat16Blocks<Lanes16>, Lanes16>,
                Narrow<ushort, BFloat16Blocks<Lanes8>, Lanes8>, Narrow<ushort, BFloat16Blocks<Lanes4>, Lanes4>)(pass);
        return narrow;
    }

    /// <summary>The backward pass.</summary>
    internal static LowRankGradients Differentiate(LowRankCall call)
    {
        var (tokens, inputs, outputs, rank) = (call.Input.Size(0), call.Input.Size(1), call.Output.Size(1), call.Down.Size(0));
        var parts = (int)Math.Min(MostParts, (tokens + 2 * BlockRows - 1) / (2 * BlockRows));
        var result = new LowRankGradients(
            Tensor.Empty([rank, inputs], DType.Float32), Tensor.Empty([outputs, rank], DType.Float32),
            Tensor.Empty([tokens, rank], call.Input.DType), call.Product is null ? null : Tensor.Empty([outputs], DType.Float32));
        // [parts, rank of A's columns, then of B's rows, then the products'].
        using var sums = Tensor.Zeros([parts, rank * (inputs + outputs) + outputs], DType.Float32);
        var pass = new Work(call, result, sums, parts);
        if (call.Input.DType == DType.Float32)
            FusedKernels.ForWidth<Pass<Work>>(Differentiate<float, SingleBlocks<Lanes16>, Lanes16>,
                Differentiate<float, SingleBlocks<Lanes8>, Lanes8>, Differentiate<float, SingleBlocks<Lanes4>, Lanes4>)(pass);
        else
            FusedKernels.ForWidth<Pass<Work>>(Differentiate<ushort, BFloat16Blocks<Lanes16>, Lanes16>,
                Differentiate<ushort, BFloat16Blocks<Lanes8>, Lanes8>, Differentiate<ushort, BFloat16Blocks<Lanes4>, Lanes4>)(pass);
        return result;
    }

    private static void Narrow<T, TFormat, V>(NarrowPass pass)
        where T : unmanaged
        where TFormat : struct, IBlockFormat<T, V>
        where V : unmanaged, ILanes<V>
    {
        var (tokens, inputs, rank) = (pass.Rows.Size(0), (int)pass.Rows.Size(1), (int)pass.Down.Size(0));
        using var right = Right<T, TFormat, V>(pass.Down, isTransposed: true);
        var (source, packed, target) = ((nint)pass.Rows.Pointer, (nint)right.Pointer, (nint)pass.Narrow.Pointer);
        TaskQueue.Run((int)((tokens + BlockRows - 1) / BlockRows), task =>
        {
            var first = (long)task * BlockRows;
            var count = (int)Math.Min(BlockRows, tokens - first);
            var scratch = new ScratchMemory(ScratchMemory.Size<float>(BlockRows * rank) + MaskedRows<T>.ScratchSize(pass.Mask, inputs));
            var sums = scratch.Take<float>(BlockRows * rank);
            var rows = new MaskedRows<T>(pass.Mask, ref scratch, inputs).Read<TFormat, V>((T*)source, first, count);
            TFormat.Multiply(count, rank, inputs, rows, inputs, (T*)packed, rank, sums, rank, accumulate: false);
            RoundedRows<T, TFormat, V>.Store(sums, (float)pass.Scale, (T*)target + first * rank, count * rank);
        });
    }

    private static void Differentiate<T, TFormat, V>(Work work)
        where T : unmanaged
        where TFormat : struct, IBlockFormat<T, V>
        where V : unmanaged, ILanes<V>
    {
        var call = work.Call;
        using var down = Right<T, TFormat, V>(call.Down, isTransposed: true);
        using var up = Right<T, TFormat, V>(call.Up, isTransposed: false);
        using var back = call.InputGradient is null ? null : Right<T, TFormat, V>(call.Down, isTransposed: false);
        var (downAt, upAt, backAt) = ((nint)down.Pointer, (nint)up.Pointer, back is null ? 0 : (nint)back.Pointer);
        var tokens = call.Input.Size(0);
        var blocks = (tokens + BlockRows - 1) / BlockRows;
        TaskQueue.Run(work.Parts, part =>
        {
            var blockPass = new LowRankBlock<T, TFormat, V>(call, work.Result, work.SumsOf(part), (T*)downAt, (T*)upAt, (T*)backAt);
            for (var block = blocks * part / work.Parts; block < blocks * (part + 1) / work.Parts; block++)
                blockPass.Run(block * BlockRows, (int)Math.Min(BlockRows, tokens - block * BlockRows));
        });
        work.Finish<V>();
    }

    /// <summary>A matrix, or its transpose, as the right operand of block products.</summary>
    private static Tensor Right<T, TFormat, V>(Tensor matrix, bool isTransposed)
        where T : unmanaged
        where TFormat : struct, IBlockFormat<T, V>
        where V : unmanaged, ILanes<V>
    {
        var packed = Tensor.Empty([matrix.ElementCount], matrix.DType);
        var operand = new RightOperand(new DensePanels(matrix), isTransposed);
        operand.Pack<T, TFormat, V>(0, (int)operand.Columns, (T*)packed.Pointer);
        return packed;
    }

    private sealed record NarrowPass(Tensor Rows, Tensor Down, double Scale, DropoutMask? Mask, Tensor Narrow);

    /// <summary>A backward pass, and its sums part by part.</summary>
    private sealed class Work(LowRankCall call, LowRankGradients result, Tensor sums, int parts)
    {
        private readonly long size = sums.Size(1);

        internal LowRankCall Call => call;

        internal LowRankGradients Result => result;

        internal int Parts => parts;

        internal float* SumsOf(int part) => (float*)sums.Pointer + part * size;

        /// <summary>Adds the parts up, always in the same order.</summary>
        internal void Finish<V>() where V : unmanaged, ILanes<V>
        {
            var total = SumsOf(0);
            ParallelWork.For(size / V.Count + 1, 1 << 10, (begin, end) =>
            {
                for (var i = begin * V.Count; i < Math.Min(size, end * V.Count); i += V.Count)
                {
                    for (var part = 1; part < parts; part++)
                    {
                        if (i + V.Count <= size)
                            (V.Load(total + i) + V.Load(total + part * size + i)).Store(total + i);
                        else
                            for (var rest = i; rest < size; rest++)
                                total[rest] += total[part * size + rest];
                    }
                }
            });
            var (rank, inputs, outputs) = ((int)call.Down.Size(0), call.Down.Size(1), (int)call.Up.Size(0));
            new ReadOnlySpan<float>(total, (int)(rank * inputs)).CopyTo(result.Down.Span<float>());
            DwordTransposition.Run<V>(total + rank * inputs, outputs, rank, outputs, (float*)result.Up.Pointer, rank);
            if (result.Products is { } products)
                new ReadOnlySpan<float>(total + rank * (inputs + outputs), outputs).CopyTo(products.Span<float>());
        }
    }
}
