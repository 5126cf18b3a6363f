using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>
/// Attention block by block with a running softmax (Milakov and Gimelshein 2018, arXiv:1805.02867; Dao et al. 2022,
/// arXiv:2205.14135): scores of 64 keys x 64 queries never leave the first-level cache. A task is one query block of one head.
/// </summary>
internal sealed unsafe class AttentionForward<T, TFormat, V>
    where T : unmanaged
    where TFormat : struct, IBlockFormat<T, V>
    where V : unmanaged, ILanes<V>
{
    private const int Tile = AttentionPlan.Tile;

    /// <summary>Below every score, yet finite, so that a query that has seen nothing yet makes no NaN.</summary>
    private const float Lowest = -1e30f;

    /// <summary>
    /// The running maximum follows a larger score only when it is 2^8 times too small: sums and outputs are then rescaled
    /// seldom, and cannot overflow.
    /// </summary>
    private const float Slack = 8;

    private readonly AttentionPlan plan;
    private readonly T* query;
    private readonly T* keyRows;
    private readonly T* valueColumns;
    private readonly T* output;
    private readonly float* logSumExp;

    private AttentionForward(AttentionPlan plan, Tensor query, Tensor keyRows, Tensor valueColumns, Tensor output, Tensor logSumExp)
    {
        this.plan = plan;
        this.query = (T*)query.Pointer;
        this.keyRows = (T*)keyRows.Pointer;
        this.valueColumns = (T*)valueColumns.Pointer;
        this.output = (T*)output.Pointer;
        this.logSumExp = (float*)logSumExp.Pointer;
    }

    /// <summary>Output [tokens, heads, width], and the base-2 log-sum-exp of each query's scores [heads, tokens].</summary>
    internal static (Tensor Output, Tensor LogSumExp) Run(AttentionPlan plan, Tensor query, Tensor key, Tensor value)
    {
        var output = Tensor.Empty(query.Shape, query.DType);
        var logSumExp = Tensor.Empty([plan.Heads, plan.Tokens], DType.Float32);
        using var scope = new TensorScope();
        long[] packedShape = [plan.KeyHeads, plan.Blocks.Length, plan.PackedBlock];
        var keyRows = Tensor.Empty(packedShape, key.DType);
        var valueColumns = Tensor.Empty(packedShape, key.DType);
        var (keyData, valueData) = ((nint)key.Pointer, (nint)value.Pointer);
        var (keyTarget, valueTarget) = ((nint)keyRows.Pointer, (nint)valueColumns.Pointer);
        ParallelWork.For((long)plan.KeyHeads * plan.Blocks.Length, 4, (begin, end) =>
        {
            for (var i = begin; i < end; i++)
            {
                var scratch = new ScratchMemory(ScratchMemory.Size<T>(AttentionPlan.TileSize));
                var (head, block) = ((int)(i / plan.Blocks.Length), plan.Blocks[i % plan.Blocks.Length]);
                AttentionBlocks<T, TFormat, V>.PackRows(
                    plan, (T*)keyData, plan.KeyHeads, block, head, (T*)keyTarget + i * plan.PackedBlock);
                AttentionBlocks<T, TFormat, V>.PackColumns(
                    plan, (T*)valueData, plan.KeyHeads, block, head, (T*)valueTarget + i * plan.PackedBlock,
                    scratch.Take<T>(AttentionPlan.TileSize));
            }
        });
        var pass = new AttentionForward<T, TFormat, V>(plan, query, keyRows, valueColumns, output, logSumExp);
        // The last blocks of the row come first: they see the most keys.
        TaskQueue.Run(plan.Heads * plan.Blocks.Length, task => pass.Attend(plan.Blocks.Length - 1 - task / plan.Heads, task % plan.Heads));
        return (output, logSumExp);
    }

    private void Attend(int blockIndex, int head)
    {
        var block = plan.Blocks[blockIndex];
        var scratch = new ScratchMemory(
            ScratchMemory.Size<T>(plan.PackedBlock) + ScratchMemory.Size<T>(AttentionPlan.TileSize)
            + 2 * ScratchMemory.Size<float>(AttentionPlan.TileSize)
            + ScratchMemory.Size<float>(plan.PackedBlock) + 2 * ScratchMemory.Size<float>(Tile));
        var queryColumns = scratch.Take<T>(plan.PackedBlock);               // right operands [width, queries]
        var weights = scratch.Take<T>(AttentionPlan.TileSize);              // right operand [keys, queries]
        var scores = scratch.Take<float>(AttentionPlan.TileSize);           // [keys, queries]
        var sums = scratch.Take<float>(plan.PackedBlock);                   // [width, queries]
        var maximum = scratch.Take<float>(Tile);
        var denominator = scratch.Take<float>(Tile);
        var work = scratch.Take<float>(AttentionPlan.TileSize);
        AttentionBlocks<T, TFormat, V>.PackRightTransposed(plan, query, plan.Heads, block, head, queryColumns, (T*)work);
        new Span<float>(maximum, Tile).Fill(Lowest);
        new Span<float>(denominator, Tile).Clear();
        new Span<float>(sums, plan.PackedBlock).Clear();
        for (var family = block.Family; family >= 0; family = plan.Before(family))
        {
            var (first, end) = plan.BlocksOf(family);
            for (var k = first; k < end && k <= blockIndex; k++)
            {
                var key = plan.Blocks[k];
                if (plan.Mask(blockIndex, k) == BlockMask.Empty)
                    continue;
                var packed = ((long)(head / plan.Group) * plan.Blocks.Length + k) * plan.PackedBlock;
                plan.StartScores<V>(blockIndex, k, scores);
                for (var w = 0; w < plan.PackedBlock; w += AttentionPlan.TileSize)
                    AttentionBlocks<T, TFormat, V>.MultiplyAdd(keyRows + packed + w, queryColumns + w, scores);
                for (var lane = 0; lane < Tile; lane += V.Count)
                {
                    var rows = AttentionBlocks<T, TFormat, V>.SeenRows(block, key, lane);
                    Weigh(scores + lane, rows, weights, lane, maximum + lane, denominator + lane, sums + lane);
                }
                for (var w = 0; w < plan.PackedBlock; w += AttentionPlan.TileSize)
                    AttentionBlocks<T, TFormat, V>.MultiplyAdd(valueColumns + packed + w, weights, sums + w);
            }
        }
        Finish(block, head, sums, maximum, denominator, work);
    }

    /// <summary>Scores of a register of queries become weights 2^(score - maximum);
    /// what was summed before is rescaled when the maximum moves.</summary>
    private void Weigh(float* scores, int rows, T* weights, int lane, float* maximum, float* denominator, float* sums)
    {
        var factor = V.Create((float)(plan.Scale * Exponential.LogOfE));
        var top = V.Create(float.NegativeInfinity);
        for (var row = 0; row < rows; row++)
            top = V.Max(top, V.Load(scores + row * Tile));
        top *= factor;
        var reference = V.Load(maximum);
        var denominators = V.Load(denominator);
        var bound = reference + V.Create(Slack);
        if (V.AnyGreater(top, bound))
        {
            var moved = V.Select(V.GreaterThan(top, bound), top, reference);
            var shrink = Exponential.PowerOfTwo(reference - moved);
            denominators *= shrink;
            for (var d = 0; d < plan.PackedBlock; d += Tile)
                (V.Load(sums + d) * shrink).Store(sums + d);
            reference = moved;
            reference.Store(maximum);
        }
        var odds = default(V);
        var below = -reference;
        for (var row = 0; row < rows; row += 2)
        {
            var even = Exponential.PowerOfTwo(V.MultiplyAdd(V.Load(scores + row * Tile), factor, below));
            var odd = Exponential.PowerOfTwo(V.MultiplyAdd(V.Load(scores + (row + 1) * Tile), factor, below));
            denominators += even;
            odds += odd;
            TFormat.StoreRight(even, odd, weights + row * Tile, lane, Tile);
        }
        for (var row = rows; row < Tile; row += 2)
            TFormat.StoreRight(default(V), default(V), weights + row * Tile, lane, Tile);
        (denominators + odds).Store(denominator);
    }

    private void Finish(in TokenBlock block, int head, float* sums, float* maximum, float* denominator, float* work)
    {
        var target = logSumExp + (long)head * plan.Tokens + block.Start;
        for (var lane = 0; lane < Tile; lane += V.Count)
        {
            var total = V.Load(denominator + lane);
            (V.Load(maximum + lane) + V.Log2(total)).Store(maximum + lane);
            (V.Create(1) / total).Store(denominator + lane);
        }
        new ReadOnlySpan<float>(maximum, block.Count).CopyTo(new Span<float>(target, block.Count));
        AttentionBlocks<T, TFormat, V>.StoreTransposed(plan, sums, denominator, block, output, plan.Heads, head, work);
    }
}
