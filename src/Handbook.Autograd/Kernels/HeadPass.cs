using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>
/// The head in blocks around libtorch's block products: logits of a block leave the cache only as bfloat16 exponentials, which become
/// the gradient of the logits once their sum over the vocabulary is known. Value and gradient take three products together.
/// </summary>
internal sealed unsafe class HeadPass<T, TFormat, V>
    where T : unmanaged
    where TFormat : struct, IBlockFormat<T, V>
    where V : unmanaged, ILanes<V>
{
    private const int Lanes = HeadChunk<T>.Lanes;

    private readonly HeadCall call;
    private readonly HeadChunk<T> chunk;
    private readonly LabelRecords statistics;
    private readonly float logitFactor;

    private HeadPass(HeadCall call, HeadChunk<T> chunk, LabelRecords statistics)
    {
        (this.call, this.chunk, this.statistics) = (call, chunk, statistics);
        logitFactor = (float)(call.Options.LogitScale * Exponential.LogOfE);
    }

    /// <summary>Logps, and where gradients may be asked for later the exponentials of the first chunk:
    /// the others' logits are made again then.</summary>
    internal static HeadValue Measure(HeadCall call, bool keepsExpLogits)
    {
        using var scope = new TensorScope();
        var chunk = new HeadChunk<T>(call, keepsExpLogits);
        var pass = new HeadPass<T, TFormat, V>(call, chunk, new LabelRecords(call.Labels.Length));
        for (var start = (call.Labels.Length - 1) / chunk.Capacity * chunk.Capacity; start >= 0; start -= chunk.Capacity)
            pass.Weigh(start);
        return new HeadValue(scope.Keep(Tensor.From(pass.statistics.Logps)), pass.statistics.ToStatistics().KeptBy(scope))
        {
            Held = keepsExpLogits ? [.. chunk.Memory.Select(scope.Keep)] : [],
            Gradients = (again, wanted, factors) =>
            {
                using var inner = new TensorScope();
                return new HeadPass<T, TFormat, V>(again, chunk, pass.statistics).Gradients(wanted, factors, isFirstWeighed: true)
                    .Finish(again, inner);
            },
        };
    }

    /// <summary>Logps and gradients in one pass.</summary>
    internal static (Tensor Logps, HeadStatistics Statistics, HeadGradients Gradients) Run(
        HeadCall call, HeadGradients wanted, Tensor factors)
    {
        using var scope = new TensorScope();
        var pass = new HeadPass<T, TFormat, V>(call, new HeadChunk<T>(call, wanted.Any), new LabelRecords(call.Labels.Length));
        var gradients = pass.Gradients(wanted, factors, isFirstWeighed: false).Finish(call, scope);
        return (scope.Keep(Tensor.From(pass.statistics.Logps)), pass.statistics.ToStatistics().KeptBy(scope), gradients);
    }

    private HeadGradients Gradients(HeadGradients wanted, Tensor factors, bool isFirstWeighed)
    {
        var labels = call.Labels.Length;
        var weightSums = wanted.WeightSum ?? (wanted.WantsWeight ? Tensor.Empty(call.Weight.Shape, DType.Float32) : null);
        var hiddenRows = wanted.WantsHidden ? Tensor.Empty([labels, chunk.Width], DType.Float32) : null;
        var gradientPass = wanted.Any
            ? new HeadGradientPass<T, TFormat, V>(call, chunk, weightSums, wanted.WeightSum is not null, hiddenRows)
            : null;
        using var single = factors.To(DType.Float32).Contiguous();
        for (var start = 0; start < labels; start += chunk.Capacity)
        {
            if (start > 0 || !isFirstWeighed)
                Weigh(start);
            gradientPass?.Run(new ReadOnlySpan<float>(single.Pointer, labels), statistics);
        }
        var hidden = hiddenRows is null ? null : gradientPass!.ToTokens();
        return wanted with { Hidden = hidden, Weight = wanted.WeightSum is null ? weightSums : null };
    }

    /// <summary>Logits of the chunk that begins with this label.</summary>
    private void Weigh(int start)
    {
        chunk.MoveTo(start, call.Labels.Length);
        ParallelWork.For(chunk.LaneBlocks, 1, Pack);
        TaskQueue.Run(chunk.Blocks, WeighBlock);
        ParallelWork.For(chunk.LaneBlocks, 1, Combine);
    }

    private void Pack(long begin, long end)
    {
        var width = chunk.Width;
        var perLane = sizeof(float) / sizeof(T);
        for (var block = begin; block < end; block++)
        {
            var rows = chunk.Rows + block * Lanes * width;
            for (var i = 0; i < Lanes; i++)
            {
                var label = block * Lanes + i;
                var target = new Span<T>(rows + (long)i * width, width);
                if (label < chunk.Count)
                    new ReadOnlySpan<T>((T*)call.Hidden.Pointer + (long)call.Rows[chunk.Start + label] * width, width).CopyTo(target);
                else
                    target.Clear();
            }
            DwordTransposition.Run<V>(
                (float*)rows, width / perLane, Lanes, width / perLane, (float*)(chunk.HiddenColumns + block * Lanes * width), Lanes);
            TFormat.PackShuffled(rows, width, Lanes, width, chunk.HiddenRight + block * Lanes * width, Lanes, width);
        }
    }

    /// <summary>Logits of one block of the vocabulary for every label of the chunk, and what the softmax needs of them.</summary>
    private void WeighBlock(int block)
    {
        var scratch = new ScratchMemory(ScratchMemory.Size<float>(HeadChunk<T>.StatisticRows * Lanes));
        var logits = scratch.Take<float>(HeadChunk<T>.StatisticRows * Lanes);
        for (var part = HeadChunk<T>.Parts * block; part < HeadChunk<T>.Parts * (block + 1); part++)
        {
            var first = part * HeadChunk<T>.StatisticRows;
            var rows = Math.Clamp(chunk.Vocabulary - first, 0, HeadChunk<T>.StatisticRows);
            new Span<float>(logits + rows * Lanes, (HeadChunk<T>.StatisticRows - rows) * Lanes).Fill(float.NegativeInfinity);
            for (var laneBlock = 0; laneBlock < chunk.LaneBlocks; laneBlock++)
            {
                if (rows > 0)
                {
                    TFormat.Multiply(
                        rows, chunk.LaneCount(laneBlock), chunk.Width, (T*)call.Weight.Pointer + (long)first * chunk.Width, chunk.Width,
                        chunk.HiddenColumns + (long)laneBlock * Lanes * chunk.Width, Lanes, logits, Lanes, false);
                }
                for (var label = laneBlock * Lanes; label < Math.Min(chunk.Count, (laneBlock + 1) * Lanes); label++)
                {
                    var row = call.Labels[chunk.Start + label] - first;
                    if (row >= 0 && row < rows)
                        chunk.LabelLogits[label] = logits[row * Lanes + label % Lanes] * logitFactor;
                }
                for (var lane = 0; lane < chunk.LaneCount(laneBlock); lane += V.Count)
                    Weigh(part, rows, logits + lane, laneBlock, lane);
            }
        }
    }

    private void Weigh(int part, int rows, float* logits, int laneBlock, int lane)
    {
        var factor = V.Create(logitFactor);
        var top = V.Create(float.MinValue);
        var sum = default(V);
        for (var row = 0; row < rows; row++)
        {
            var logit = V.Load(logits + row * Lanes);
            top = V.Max(top, logit);
            sum += logit;
        }
        // A logit of minus infinity must not meet a maximum of minus infinity.
        top = V.Max(top * factor, V.Create(float.MinValue));
        var below = -top;
        var (evens, odds, weighted) = (default(V), default(V), default(V));
        // An exponential of 0 must not meet a logit of minus infinity: 0 x -infinity is no number.
        var least = V.Create(-1000f);
        var target = chunk.KeepsExpLogits ? chunk.ExpLogits(part, laneBlock) : null;
        for (var row = 0; row < HeadChunk<T>.StatisticRows; row += 2)
        {
            var evenLogit = V.Max(V.MultiplyAdd(V.Load(logits + row * Lanes), factor, below), least);
            var oddLogit = V.Max(V.MultiplyAdd(V.Load(logits + (row + 1) * Lanes), factor, below), least);
            var (even, odd) = (Exponential.PowerOfTwo(evenLogit), Exponential.PowerOfTwo(oddLogit));
            evens += even;
            odds += odd;
            weighted = V.MultiplyAdd(even, evenLogit, V.MultiplyAdd(odd, oddLogit, weighted));
            if (target != null)
                TFormat.StoreRight(even, odd, target + row * Lanes, lane, Lanes);
        }
        var at = (long)part * chunk.Capacity + laneBlock * Lanes + lane;
        top.Store(chunk.Maxima + at);
        (evens + odds).Store(chunk.Totals + at);
        weighted.Store(chunk.WeightedTotals + at);
        sum.Store(chunk.LogitSums + at);
    }

    /// <summary>Log-sum-exp over the whole vocabulary, and what is reported of each label.</summary>
    private void Combine(long begin, long end)
    {
        for (var first = (int)begin * Lanes; first < Math.Min(chunk.Padded, (int)end * Lanes); first += V.Count)
        {
            var top = V.Create(float.MinValue);
            var (total, weighted, sum) = (default(V), default(V), default(V));
            for (var part = 0; part < HeadChunk<T>.Parts * chunk.Blocks; part++)
                top = V.Max(top, V.Load(chunk.Maxima + (long)part * chunk.Capacity + first));
            for (var part = 0; part < HeadChunk<T>.Parts * chunk.Blocks; part++)
            {
                var at = (long)part * chunk.Capacity + first;
                var difference = V.Load(chunk.Maxima + at) - top;
                var scale = Exponential.PowerOfTwo(difference);
                var exponentials = V.Load(chunk.Totals + at) * scale;
                total += exponentials;
                weighted += V.Load(chunk.WeightedTotals + at) * scale + exponentials * V.Max(difference, V.Create(-1000f));
                sum += V.Load(chunk.LogitSums + at);
            }
            var logTotal = V.Log2(total);
            (top + logTotal).Store(chunk.LogSumExp + first);
            // Entropy is log-sum-exp less the expected logit, both above the maximum.
            var entropy = (logTotal - weighted / total) * (float)Exponential.NaturalLogOfTwo;
            for (var label = first; label < Math.Min(chunk.Count, first + V.Count); label++)
            {
                var i = chunk.Start + label;
                statistics.Logps[i] = (float)((chunk.LabelLogits[label] - chunk.LogSumExp[label]) * Exponential.NaturalLogOfTwo);
                statistics.IsCorrect[i] = chunk.LabelLogits[label] >= top[label - first] ? 1 : 0;
                statistics.Entropies[i] = entropy[label - first];
                statistics.MeanLogits[i] = (float)(sum[label - first] * call.Options.LogitScale / chunk.Vocabulary);
            }
        }
    }
}
