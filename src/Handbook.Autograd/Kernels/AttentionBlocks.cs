using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>
/// Steps that the forward and the backward pass over attention blocks share. Scores are held transposed, [keys, queries]: the
/// softmax then runs along rows, every SIMD lane is one query, and the weights leave the registers as an operand of the next
/// product.
/// </summary>
internal static unsafe class AttentionBlocks<T, TFormat>
    where T : unmanaged
    where TFormat : struct, IBlockFormat<T>
{
    private const int Stride = AttentionPlan.BlockLength;

    /// <summary>Elements of T in a 32-bit lane.</summary>
    private static int PerLane => sizeof(float) / sizeof(T);

    /// <summary>[tokens of a block, heads, width] of one head as a left operand [64, padded width], zeros around.</summary>
    internal static void PackRows(AttentionPlan plan, T* data, int heads, in TokenBlock block, int head, T* packed)
    {
        var width = plan.Width;
        var padded = plan.PaddedWidth;
        for (var row = 0; row < block.PaddedCount; row++)
        {
            var target = new Span<T>(packed + (long)row * padded, padded);
            if (row < block.Count)
                new ReadOnlySpan<T>(Row(plan, data, heads, block.Start + row, head), width).CopyTo(target);
            target[(row < block.Count ? width : 0)..].Clear();
        }
    }

    /// <summary>One head of a block as a left operand transposed, [padded width, 64]; <paramref name="work"/> holds as much.</summary>
    internal static void PackColumns(AttentionPlan plan, T* data, int heads, in TokenBlock block, int head, T* packed, T* work)
    {
        TFormat.Pack(Row(plan, data, heads, block.Start, head), (long)heads * plan.Width, block.Count, plan.Width, work, block.PaddedCount, plan.PaddedWidth);
        DwordTransposition.Run((float*)work, plan.PaddedWidth, block.PaddedCount / PerLane, plan.PaddedWidth, (float*)packed, Stride / PerLane);
    }

    /// <summary>One head of a block as a right operand transposed, [padded width, 64]; <paramref name="work"/> holds as much.</summary>
    internal static void PackRightTransposed(AttentionPlan plan, T* data, int heads, in TokenBlock block, int head, T* packed, T* work)
    {
        PackRows(plan, data, heads, block, head, work);
        var lanes = plan.PaddedWidth / PerLane;
        DwordTransposition.Run((float*)work, lanes, block.PaddedCount, lanes, (float*)packed, Stride);
    }

    /// <summary>One head of a block as a right operand [64, padded width] whose rows are shuffled.</summary>
    internal static void PackRightShuffled(AttentionPlan plan, T* data, int heads, in TokenBlock block, int head, T* packed) =>
        TFormat.PackShuffled(Row(plan, data, heads, block.Start, head), (long)heads * plan.Width, block.Count, plan.Width, packed, block.PaddedCount, plan.PaddedWidth);

    /// <summary>Puts minus infinity where a query (lane) does not see a key (row).</summary>
    internal static void Mask(AttentionPlan plan, in TokenBlock query, in TokenBlock key, float* scores)
    {
        var lanes = Vector512.Create(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
        var hidden = Vector512.Create(float.NegativeInfinity);
        for (var row = 0; row < key.PaddedCount; row++)
        {
            var position = key.Position + row;
            // The last query that still sees the key: its own position plus what the window leaves.
            var last = (int)Math.Min(int.MaxValue, position + (long)plan.Window - 1);
            if (row >= key.Count)
                last = -1;
            for (var lane = 0; lane < query.PaddedCount; lane += 16)
            {
                var queries = lanes + Vector512.Create(query.Position + lane);
                var seen = Vector512.GreaterThanOrEqual(queries, Vector512.Create(position)) & Vector512.LessThanOrEqual(queries, Vector512.Create(last));
                var target = scores + row * Stride + lane;
                Vector512.ConditionalSelect(seen.AsSingle(), Vector512.Load(target), hidden).Store(target);
            }
        }
    }

    /// <summary>Transposes [padded width, 64] sums, times a factor for each token, into rows of [tokens, heads, width].</summary>
    internal static void StoreTransposed(
        AttentionPlan plan, float* sums, float* factors, in TokenBlock block, T* data, int heads, int head, float* work)
    {
        for (var d = 0; d < plan.PaddedWidth; d++)
        {
            for (var lane = 0; lane < block.PaddedCount; lane += 16)
            {
                var target = sums + d * Stride + lane;
                (Vector512.Load(target) * Vector512.Load(factors + lane)).Store(target);
            }
        }
        DwordTransposition.Run(sums, Stride, plan.PaddedWidth, block.PaddedCount, work, plan.PaddedWidth);
        for (var row = 0; row < block.Count; row++)
            StoreRow(work + (long)row * plan.PaddedWidth, 1, Row(plan, data, heads, block.Start + row, head), plan.Width);
    }

    /// <summary>Converts a row of float32 sums, times a factor.</summary>
    internal static void StoreRow(float* sums, float factor, T* target, int width)
    {
        var i = 0;
        for (; i + 16 <= width; i += 16)
            TFormat.Store(Vector512.Load(sums + i) * factor, target + i);
        for (; i < width; i++)
            TFormat.Write(sums[i] * factor, target + i);
    }

    /// <summary>Sum of products of two rows.</summary>
    internal static float Dot(T* a, T* b, int width)
    {
        var sums = Vector512<float>.Zero;
        var i = 0;
        for (; i + 16 <= width; i += 16)
            sums = Avx512F.FusedMultiplyAdd(TFormat.Load(a + i), TFormat.Load(b + i), sums);
        var sum = Vector512.Sum(sums);
        for (; i < width; i++)
            sum += TFormat.Read(a + i) * TFormat.Read(b + i);
        return sum;
    }

    internal static T* Row(AttentionPlan plan, T* data, int heads, int token, int head) =>
        data + ((long)token * heads + head) * plan.Width;
}
