using System.Runtime.Intrinsics.X86;
using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>
/// A weight's gradient in bfloat16: gradientᵀ · input, a product summed over tokens in float32. Each tile of the result belongs
/// to one thread, which goes through the tokens in chunks: it transposes its columns of the gradient into the cache and adds
/// their product with the input's rows. libtorch's own product transposes the whole gradient in memory first.
/// </summary>
internal static unsafe class TokenSums
{
    private const int ChunkTokens = 512;
    private const int StripTokens = 32;
    private const int CacheLine = 32;
    private const int MostRows = 192;
    private const int MostColumns = 768;

    /// <summary>The product as a new bfloat16 tensor [out, in].</summary>
    /// <param name="gradient">[N, out].</param>
    /// <param name="input">[N, in].</param>
    internal static Tensor Of(Tensor gradient, InterleavedRows input)
    {
        var result = Tensor.Empty([gradient.Size(1), input.Columns], DType.BFloat16);
        Run(gradient, input, null, result);
        return result;
    }

    /// <summary>Adds the product to a float32 sum [out, in].</summary>
    internal static void AddTo(Tensor total, Tensor gradient, InterleavedRows input) => Run(gradient, input, total, null);

    private static void Run(Tensor gradient, InterleavedRows input, Tensor? total, Tensor? rounded) =>
        FusedKernels.ForWidth(Sum<Lanes16>, Sum<Lanes8>, Sum<Lanes4>)(gradient, input, total, rounded);

    private static void Sum<V>(Tensor gradient, InterleavedRows input, Tensor? total, Tensor? rounded) where V : unmanaged, ILanes<V>
    {
        var (tokens, outputs, inputs) = (gradient.Size(0), gradient.Size(1), input.Columns);
        var height = EqualParts.Size(outputs, MostRows, even: true);
        var width = EqualParts.Size(inputs, MostColumns, even: inputs > MostColumns);
        var across = (int)((inputs + width - 1) / width);
        var down = (int)((outputs + height - 1) / height);
        var source = (ushort*)gradient.Pointer;
        var added = total is null ? null : (float*)total.Pointer;
        var target = rounded is null ? null : (ushort*)rounded.Pointer;
        TaskQueue.Run(across * down, task =>
        {
            var (row, column) = (task / across * (long)height, task % across * (long)width);
            var tileHeight = (int)Math.Min(height, outputs - row);
            var tileWidth = (int)Math.Min(width, inputs - column);
            var scratch = new ScratchMemory(
                ScratchMemory.Size<ushort>(height * ChunkTokens) + ScratchMemory.Size<uint>(StripTokens / 2 * height)
                + ScratchMemory.Size<float>(height * width));
            var left = scratch.Take<ushort>(height * ChunkTokens);
            var strip = scratch.Take<uint>(StripTokens / 2 * height);
            var sum = added == null ? scratch.Take<float>(height * width) : added + row * inputs + column;
            var stride = added == null ? tileWidth : inputs;
            for (var first = 0L; first < tokens; first += ChunkTokens)
            {
                var depth = Transpose<V>(
                    source + first * outputs + row, outputs, (int)Math.Min(ChunkTokens, tokens - first), tileHeight, strip, left);
                BlockProduct<V>.Multiply(
                    tileHeight, tileWidth, depth, left, depth, input.At(first, column), inputs, sum, stride,
                    accumulate: first > 0 || added != null);
            }
            if (added != null)
                return;
            for (var i = 0; i < tileHeight; i++)
            {
                RowProducts.Round<ushort, BFloat16Access, V>(
                    sum + (long)i * tileWidth, null, target + (row + i) * inputs + column, tileWidth);
            }
        });
    }

    /// <summary>Columns of some tokens' rows as rows of tokens, filled up with zeros to whole groups.</summary>
    private static int Transpose<V>(ushort* source, long stride, int tokens, int columns, uint* strip, ushort* left)
        where V : unmanaged, ILanes<V>
    {
        var depth = (tokens + InterleavedRows.RowGroup - 1) / InterleavedRows.RowGroup * InterleavedRows.RowGroup;
        for (var first = 0; first < depth; first += StripTokens)
        {
            var pairs = Math.Min(StripTokens, depth - first) / 2;
            for (var pair = 0; pair < pairs; pair++)
            {
                if (first + 2 * pair >= tokens)
                {
                    new Span<uint>(strip + pair * columns, columns).Clear();
                    continue;
                }
                var low = source + (first + 2 * pair) * stride;
                // Rows are far apart: without the hint every one of them is waited for.
                for (var c = 0; c < columns && Sse.IsSupported; c += CacheLine)
                {
                    Sse.Prefetch0(low + StripTokens * stride + c);
                    Sse.Prefetch0(low + (StripTokens + 1) * stride + c);
                }
                PairInterleaving.Run<V>(low, first + 2 * pair + 1 < tokens ? low + stride : null, columns, strip + pair * columns);
            }
            DwordTransposition.Run<V>((float*)strip, columns, pairs, columns, (float*)left + first / 2, depth / 2);
        }
        return depth;
    }
}
