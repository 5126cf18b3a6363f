using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>
/// Gradients of attention (Dao et al. 2022, arXiv:2205.14135, algorithm 4): weights are recomputed block by block from the
/// saved log-sum-exp. A task is one chunk of keys of one key/value head with every query that sees it; it owns these keys'
/// gradients and its slot of the queries' gradients, so nothing is shared among threads.
/// </summary>
internal sealed unsafe class AttentionBackward<T, TFormat, V>
    where T : unmanaged
    where TFormat : struct, IBlockFormat<T, V>
    where V : unmanaged, ILanes<V>
{
    private const int Tile = AttentionPlan.Tile;

    /// <summary>Log-sum-exp of a query that is padding: its weights come out as zero.</summary>
    private const float NoQuery = 1e30f;

    private readonly AttentionPlan plan;
    private readonly AttentionChunks chunks;
    private readonly AttentionGradientData<T> data;

    private AttentionBackward(AttentionPlan plan, AttentionChunks chunks, AttentionGradientData<T> data) =>
        (this.plan, this.chunks, this.data) = (plan, chunks, data);

    internal static (Tensor Query, Tensor Key, Tensor Value) Run(
        AttentionPlan plan, Tensor gradient, Tensor query, Tensor key, Tensor value, Tensor output, Tensor logSumExp)
    {
        var chunks = new AttentionChunks(plan);
        using var scope = new TensorScope();
        var data = new AttentionGradientData<T>(plan, chunks, gradient, query, key, value, output, logSumExp);
        var pass = new AttentionBackward<T, TFormat, V>(plan, chunks, data);
        ParallelWork.For((long)plan.KeyHeads * plan.Blocks.Length, 4, pass.Pack);
        ParallelWork.For(plan.Tokens, 64, pass.Project);
        // The first chunks of a family come first: the most queries see them.
        TaskQueue.Run(chunks.All.Length * plan.KeyHeads,
            task => pass.Differentiate(chunks.All[task / plan.KeyHeads], task % plan.KeyHeads));
        ParallelWork.For(plan.Blocks.Length, 1, pass.SumSlots);
        return (scope.Keep(data.QueryGradientTensor), scope.Keep(data.KeyGradientTensor), scope.Keep(data.ValueGradientTensor));
    }

    private void Pack(long begin, long end)
    {
        for (var i = begin; i < end; i++)
        {
            var scratch = new ScratchMemory(ScratchMemory.Size<T>(AttentionPlan.TileSize));
            var (head, block) = ((int)(i / plan.Blocks.Length), plan.Blocks[i % plan.Blocks.Length]);
            var packed = i * plan.PackedBlock;
            AttentionBlocks<T, TFormat, V>.PackRows(plan, data.Key, plan.KeyHeads, block, head, data.KeyRows + packed);
            AttentionBlocks<T, TFormat, V>.PackRows(plan, data.Value, plan.KeyHeads, block, head, data.ValueRows + packed);
            AttentionBlocks<T, TFormat, V>.PackColumns(
                plan, data.Key, plan.KeyHeads, block, head, data.KeyColumns + packed, scratch.Take<T>(AttentionPlan.TileSize));
        }
    }

    /// <summary>Sum over the width of gradient * output, for every token and head.</summary>
    private void Project(long begin, long end)
    {
        for (var token = (int)begin; token < end; token++)
        {
            for (var head = 0; head < plan.Heads; head++)
            {
                data.Projection[(long)head * plan.Tokens + token] = AttentionBlocks<T, TFormat, V>.Dot(
                    AttentionBlocks<T, TFormat, V>.Row(plan, data.Gradient, plan.Heads, token, head),
                    AttentionBlocks<T, TFormat, V>.Row(plan, data.Output, plan.Heads, token, head), plan.Width);
            }
        }
    }

    private void Differentiate((int Family, int First, int End) chunk, int keyHead)
    {
        var work = new AttentionGradientScratch<T>(plan, chunks.BlocksInChunk);
        var sumLength = (chunk.End - chunk.First) * plan.PackedBlock;
        new Span<float>(work.KeySums, sumLength).Clear();
        new Span<float>(work.ValueSums, sumLength).Clear();
        for (var head = keyHead * plan.Group; head < (keyHead + 1) * plan.Group; head++)
        {
            for (var family = chunk.Family; family < plan.FamilyCount; family++)
            {
                if (family != chunk.Family && plan.Before(family) != chunk.Family)
                    continue;
                var (first, end) = plan.BlocksOf(family);
                for (var q = family == chunk.Family ? chunk.First : first; q < end; q++)
                    QueryBlock(chunk, keyHead, q, head, work);
            }
        }
        for (var k = chunk.First; k < chunk.End; k++)
        {
            var block = plan.Blocks[k];
            var sums = (long)(k - chunk.First) * plan.PackedBlock;
            AttentionBlocks<T, TFormat, V>.StoreRows(
                plan, work.KeySums + sums, (float)plan.Scale, block, data.KeyGradient, plan.KeyHeads, keyHead);
            AttentionBlocks<T, TFormat, V>.StoreRows(plan, work.ValueSums + sums, 1, block, data.ValueGradient, plan.KeyHeads, keyHead);
        }
    }

    /// <summary>What one query block of one head adds to a chunk's gradients, and what the chunk adds to the block's.</summary>
    private void QueryBlock(
        in (int Family, int First, int End) chunk, int keyHead, int queryBlock, int head, in AttentionGradientScratch<T> work)
    {
        var query = plan.Blocks[queryBlock];
        if (!plan.SeesAny(queryBlock, chunk.First, chunk.End))
        {
            ClearSlot(chunks.Slot(query.Family, chunk), query, head);
            return;
        }
        Prepare(query, head, work);
        new Span<float>(work.QuerySums, plan.PackedBlock).Clear();
        for (var k = chunk.First; k < chunk.End; k++)
        {
            var key = plan.Blocks[k];
            if (plan.Mask(queryBlock, k) == BlockMask.Empty)
                continue;
            var packed = ((long)keyHead * plan.Blocks.Length + k) * plan.PackedBlock;
            var sums = (long)(k - chunk.First) * plan.PackedBlock;
            plan.StartScores<V>(queryBlock, k, work.Scores);
            StartProducts(work);
            for (var w = 0; w < plan.PackedBlock; w += AttentionPlan.TileSize)
            {
                AttentionBlocks<T, TFormat, V>.MultiplyAdd(data.KeyRows + packed + w, work.QueryColumns + w, work.Scores);
                AttentionBlocks<T, TFormat, V>.MultiplyAdd(data.ValueRows + packed + w, work.GradientColumns + w, work.Products);
            }
            ThroughSoftmax(query, key, work);
            for (var w = 0; w < plan.PackedBlock; w += AttentionPlan.TileSize)
            {
                AttentionBlocks<T, TFormat, V>.MultiplyAdd(work.Weights, work.GradientRows + w, work.ValueSums + sums + w);
                AttentionBlocks<T, TFormat, V>.MultiplyAdd(work.ScoreGradients, work.QueryRows + w, work.KeySums + sums + w);
                AttentionBlocks<T, TFormat, V>.MultiplyAdd(data.KeyColumns + packed + w, work.ScoreGradientsRight, work.QuerySums + w);
            }
        }
        new Span<float>(work.Factors, Tile).Fill((float)plan.Scale);
        if (chunks.Slots(queryBlock) == 1)
            AttentionBlocks<T, TFormat, V>.StoreTransposed(
                plan, work.QuerySums, work.Factors, query, data.QueryGradient, plan.Heads, head, work.Transposed);
        else
            AttentionBlocks<float, SingleBlocks<V>, V>.StoreTransposed(
                plan, work.QuerySums, work.Factors, query, data.Slot(chunks.Slot(query.Family, chunk)), plan.Heads, head, work.Transposed);
    }

    /// <summary>One answer's queries and a chunk that holds nothing but the other answer.</summary>
    private void ClearSlot(int slot, in TokenBlock query, int head)
    {
        for (var token = query.Start; token < query.Start + query.Count; token++)
            new Span<float>(data.Slot(slot) + ((long)token * plan.Heads + head) * plan.Width, plan.Width).Clear();
    }

    private void Prepare(in TokenBlock query, int head, in AttentionGradientScratch<T> work)
    {
        AttentionBlocks<T, TFormat, V>.PackRightTransposed(
            plan, data.Query, plan.Heads, query, head, work.QueryColumns, (T*)work.Transposed);
        AttentionBlocks<T, TFormat, V>.PackRightTransposed(
            plan, data.Gradient, plan.Heads, query, head, work.GradientColumns, (T*)work.Transposed);
        AttentionBlocks<T, TFormat, V>.PackRightShuffled(plan, data.Query, plan.Heads, query, head, work.QueryRows);
        AttentionBlocks<T, TFormat, V>.PackRightShuffled(plan, data.Gradient, plan.Heads, query, head, work.GradientRows);
        var logSumExp = new Span<float>(work.LogSumExp, Tile);
        var projection = new Span<float>(work.Projection, Tile);
        var offset = (long)head * plan.Tokens + query.Start;
        new ReadOnlySpan<float>(data.LogSumExp + offset, query.Count).CopyTo(logSumExp);
        new ReadOnlySpan<float>(data.Projection + offset, query.Count).CopyTo(projection);
        logSumExp[query.Count..].Fill(NoQuery);
        projection[query.Count..].Clear();
    }

    /// <summary>The products are added to minus the projection.</summary>
    private static void StartProducts(in AttentionGradientScratch<T> work)
    {
        for (var lane = 0; lane < Tile; lane += V.Count)
        {
            var start = -V.Load(work.Projection + lane);
            for (var row = 0; row < Tile; row++)
                start.Store(work.Products + row * Tile + lane);
        }
    }

    /// <summary>Weights = 2^(score - logSumExp), and the scores' gradient = weights * (products - projection),
    /// two keys at a time.</summary>
    private void ThroughSoftmax(in TokenBlock query, in TokenBlock key, in AttentionGradientScratch<T> work)
    {
        var factor = V.Create((float)(plan.Scale * Exponential.LogOfE));
        for (var lane = 0; lane < Tile; lane += 2 * V.Count)
        {
            var (belowFirst, belowSecond) = (-V.Load(work.LogSumExp + lane), -V.Load(work.LogSumExp + lane + V.Count));
            var rows = Math.Max(
                AttentionBlocks<T, TFormat, V>.SeenRows(query, key, lane),
                AttentionBlocks<T, TFormat, V>.SeenRows(query, key, lane + V.Count));
            for (var row = 0; row < rows; row += 2)
            {
                var at = row * Tile + lane;
                var next = at + Tile;
                var a = Exponential.PowerOfTwo(V.MultiplyAdd(V.Load(work.Scores + at), factor, belowFirst));
                var b = Exponential.PowerOfTwo(V.MultiplyAdd(V.Load(work.Scores + at + V.Count), factor, belowSecond));
                var c = Exponential.PowerOfTwo(V.MultiplyAdd(V.Load(work.Scores + next), factor, belowFirst));
                var d = Exponential.PowerOfTwo(V.MultiplyAdd(V.Load(work.Scores + next + V.Count), factor, belowSecond));
                TFormat.StoreLeft(a, b, work.Weights + at);
                TFormat.StoreLeft(c, d, work.Weights + next);
                a *= V.Load(work.Products + at);
                b *= V.Load(work.Products + at + V.Count);
                c *= V.Load(work.Products + next);
                d *= V.Load(work.Products + next + V.Count);
                TFormat.StoreLeft(a, b, work.ScoreGradients + at);
                TFormat.StoreLeft(c, d, work.ScoreGradients + next);
                TFormat.StoreRight(a, c, work.ScoreGradientsRight + row * Tile, lane, Tile);
                TFormat.StoreRight(b, d, work.ScoreGradientsRight + row * Tile, lane + V.Count, Tile);
            }
            for (var row = rows; row < Tile; row += 2)
                StoreNothing(work, row, lane);
        }
    }

    /// <summary>Zeros for two keys and two registers of queries.</summary>
    private static void StoreNothing(in AttentionGradientScratch<T> work, int row, int lane)
    {
        var none = default(V);
        for (var at = row * Tile + lane; at <= (row + 1) * Tile + lane; at += Tile)
        {
            TFormat.StoreLeft(none, none, work.Weights + at);
            TFormat.StoreLeft(none, none, work.ScoreGradients + at);
        }
        TFormat.StoreRight(none, none, work.ScoreGradientsRight + row * Tile, lane, Tile);
        TFormat.StoreRight(none, none, work.ScoreGradientsRight + row * Tile, lane + V.Count, Tile);
    }

    /// <summary>Adds up the queries' gradients where they came from several chunks, always from the first slot on.</summary>
    private void SumSlots(long begin, long end)
    {
        for (var b = (int)begin; b < end; b++)
        {
            var slots = chunks.Slots(b);
            var block = plan.Blocks[b];
            var width = plan.Heads * plan.Width;
            for (var token = block.Start; slots > 1 && token < block.Start + block.Count; token++)
            {
                var offset = (long)token * width;
                var sums = data.Slot(0) + offset;
                for (var slot = 1; slot < slots; slot++)
                {
                    var terms = data.Slot(slot) + offset;
                    for (var i = 0; i < width; i++)
                        sums[i] += terms[i];
                }
                RoundedRows<T, TFormat, V>.Store(sums, 1, data.QueryGradient + offset, width);
            }
        }
    }
}
