using System.Runtime.CompilerServices;

namespace Handbook.Autograd.Kernels;

/// <summary>
/// Steps that the forward and the backward pass over attention blocks share. Scores are held transposed, [keys, queries]: the
/// softmax then runs along rows, every SIMD lane is one query, and the weights leave the registers as an operand of the next
/// product. One head of a block is a chain of 64 x 64 tiles along its width; what lies outside block and width is zero.
/// </summary>
internal static unsafe class AttentionBlocks<T, TFormat, V>
    where T : unmanaged
    where TFormat : struct, IBlockFormat<T, V>
    where V : unmanaged, ILanes<V>
{
    private const int Tile = AttentionPlan.Tile;

    /// <summary>Elements of T in a 32-bit lane.</summary>
    private static int PerLane => sizeof(float) / sizeof(T);

    /// <summary>C[64, 64] += A[64, 64] · B[64, 64]: the one product there is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void MultiplyAdd(T* left, T* right, float* sums) =>
        TFormat.Multiply(Tile, Tile, Tile, left, Tile, right, Tile, sums, Tile, true);

    /// <summary>One head of a block as left operands [tokens, width].</summary>
    internal static void PackRows(AttentionPlan plan, T* data, int heads, in TokenBlock block, int head, T* packed)
    {
        for (var w = 0; w < plan.WidthTiles; w++)
        {
            var source = Row(plan, data, heads, block.Start, head) + w * Tile;
            CopyTile(source, (long)heads * plan.Width, block.Count, Columns(plan, w), packed + w * AttentionPlan.TileSize);
        }
    }

    /// <summary>One head of a block as left operands transposed, [width, tokens]; <paramref name="work"/> holds a tile.</summary>
    internal static void PackColumns(AttentionPlan plan, T* data, int heads, in TokenBlock block, int head, T* packed, T* work)
    {
        for (var w = 0; w < plan.WidthTiles; w++)
        {
            var source = Row(plan, data, heads, block.Start, head) + w * Tile;
            TFormat.Pack(source, (long)heads * plan.Width, block.Count, Columns(plan, w), work, Tile, Tile);
            DwordTransposition.Run<V>(
                (float*)work, Tile, Tile / PerLane, Tile, (float*)(packed + w * AttentionPlan.TileSize), Tile / PerLane);
        }
    }

    /// <summary>One head of a block as right operands transposed, [width, tokens]; <paramref name="work"/> holds a tile.</summary>
    internal static void PackRightTransposed(AttentionPlan plan, T* data, int heads, in TokenBlock block, int head, T* packed, T* work)
    {
        for (var w = 0; w < plan.WidthTiles; w++)
        {
            var source = Row(plan, data, heads, block.Start, head) + w * Tile;
            var stride = (long)heads * plan.Width;
            if (block.Count < Tile || Columns(plan, w) < Tile || stride % PerLane != 0)
            {
                CopyTile(source, stride, block.Count, Columns(plan, w), work);
                source = work;
                stride = Tile;
            }
            DwordTransposition.Run<V>(
                (float*)source, stride / PerLane, Tile, Tile / PerLane, (float*)(packed + w * AttentionPlan.TileSize), Tile);
        }
    }

    /// <summary>One head of a block as right operands [tokens, width] whose rows are shuffled.</summary>
    internal static void PackRightShuffled(AttentionPlan plan, T* data, int heads, in TokenBlock block, int head, T* packed)
    {
        for (var w = 0; w < plan.WidthTiles; w++)
        {
            TFormat.PackShuffled(
                Row(plan, data, heads, block.Start, head) + w * Tile, (long)heads * plan.Width, block.Count, Columns(plan, w),
                packed + w * AttentionPlan.TileSize, Tile, Tile);
        }
    }

    /// <summary>Rows of scores, an even number, after which a register of queries from <paramref name="lane"/> on see no
    /// key any more.</summary>
    internal static int SeenRows(in TokenBlock query, in TokenBlock key, int lane)
    {
        // A token sees no row behind its own.
        var last = Math.Min(key.Count, query.Start + lane + V.Count - key.Start);
        return lane >= query.Count ? 0 : (Math.Max(0, last) + 1) / 2 * 2;
    }

    /// <summary>Transposes [width, tokens] sums, times a factor for each token, into rows of [tokens, heads, width].</summary>
    internal static void StoreTransposed(
        AttentionPlan plan, float* sums, float* factors, in TokenBlock block, T* data, int heads, int head, float* work)
    {
        for (var w = 0; w < plan.WidthTiles; w++)
        {
            DwordTransposition.Run<V>(sums + w * AttentionPlan.TileSize, Tile, Tile, Tile, work, Tile);
            for (var row = 0; row < block.Count; row++)
                RoundedRows<T, TFormat, V>.Store(work + row * Tile, factors[row],
                    Row(plan, data, heads, block.Start + row, head) + w * Tile, Columns(plan, w));
        }
    }

    /// <summary>Stores [tokens, width] sums, times a factor, as rows of [tokens, heads, width].</summary>
    internal static void StoreRows(AttentionPlan plan, float* sums, float factor, in TokenBlock block, T* data, int heads, int head)
    {
        for (var w = 0; w < plan.WidthTiles; w++)
        {
            for (var row = 0; row < block.Count; row++)
                RoundedRows<T, TFormat, V>.Store(sums + w * AttentionPlan.TileSize + row * Tile, factor,
                    Row(plan, data, heads, block.Start + row, head) + w * Tile, Columns(plan, w));
        }
    }

    /// <summary>Sum of products of two rows.</summary>
    internal static float Dot(T* a, T* b, int width)
    {
        var sums = default(V);
        var i = 0;
        for (; i + V.Count <= width; i += V.Count)
            sums = V.MultiplyAdd(TFormat.Load<V>(a + i), TFormat.Load<V>(b + i), sums);
        var sum = V.Sum(sums);
        for (; i < width; i++)
            sum += TFormat.Read(a + i) * TFormat.Read(b + i);
        return sum;
    }

    internal static T* Row(AttentionPlan plan, T* data, int heads, int token, int head) =>
        data + ((long)token * heads + head) * plan.Width;

    private static int Columns(AttentionPlan plan, int tile) => Math.Min(Tile, plan.Width - tile * Tile);

    private static void CopyTile(T* source, long stride, int rows, int columns, T* packed)
    {
        if (rows < Tile || columns < Tile)
            new Span<T>(packed, AttentionPlan.TileSize).Clear();
        for (var row = 0; row < rows; row++)
        {
            var from = (byte*)(source + row * stride);
            var to = (byte*)(packed + row * Tile);
            var bytes = columns * sizeof(T);
            var i = 0;
            for (; i + sizeof(V) <= bytes; i += sizeof(V))
                V.Load((float*)(from + i)).Store((float*)(to + i));
            for (; i < bytes; i++)
                to[i] = from[i];
        }
    }
}
