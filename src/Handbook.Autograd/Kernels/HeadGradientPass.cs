using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>
/// The second half of the head's pass over a chunk: exponentials become the logits' gradient, factor * (label - probability), which
/// two products turn into the gradients of weight and hidden states. A task is one strip of the vocabulary.
/// </summary>
internal sealed unsafe class HeadGradientPass<T, TFormat, V>
    where T : unmanaged
    where TFormat : struct, IBlockFormat<T, V>
    where V : unmanaged, ILanes<V>
{
    private const int Lanes = HeadChunk<T>.Lanes;

    /// <summary>Rows of a product: their gradients go from the registers through the cache into it.</summary>
    private const int ProductRows = 64;

    private readonly HeadCall call;
    private readonly HeadChunk<T> chunk;
    private readonly bool addsToWeight;
    private readonly float* weightSums;
    private readonly float* hiddenRows;
    private readonly float* hiddenSums;     // [strips, width, labels]
    private LabelRecords? statistics;

    internal HeadGradientPass(HeadCall call, HeadChunk<T> chunk, Tensor? weightSums, bool addsToWeight, Tensor? hiddenRows)
    {
        (this.call, this.chunk, this.addsToWeight) = (call, chunk, addsToWeight);
        this.weightSums = weightSums is null ? null : (float*)weightSums.Pointer;
        this.hiddenRows = hiddenRows is null ? null : (float*)hiddenRows.Pointer;
        hiddenSums = hiddenRows is null ? null : (float*)Tensor.Empty([chunk.Strips, chunk.Width, chunk.Capacity], DType.Float32).Pointer;
    }

    /// <summary>Adds the chunk's gradients, each label's times its factor.</summary>
    internal void Run(ReadOnlySpan<float> factors, LabelRecords seen)
    {
        statistics = seen;
        var own = new Span<float>(chunk.Factors, chunk.Capacity);
        own.Clear();
        for (var i = 0; i < chunk.Count; i++)
            own[i] = (float)(factors[chunk.Start + i] * call.Options.LogitScale);
        TaskQueue.Run(chunk.Strips, Strip);
        if (hiddenRows != null)
            ParallelWork.For(chunk.LaneBlocks, 1, SumStrips);
    }

    /// <summary>The labels' gradients added up by the token they are predicted from, [tokens, width].</summary>
    internal Tensor ToTokens()
    {
        var tokens = Tensor.Zeros(call.Hidden.Shape, call.Hidden.DType);
        var target = (nint)tokens.Pointer;
        var order = Enumerable.Range(0, call.Rows.Length).OrderBy(label => call.Rows[label]).ToArray();
        var firsts = Enumerable.Range(0, order.Length).Where(i => i == 0 || call.Rows[order[i]] != call.Rows[order[i - 1]]).ToArray();
        ParallelWork.For(firsts.Length, 64, (begin, end) =>
        {
            for (var group = begin; group < end; group++)
            {
                var row = call.Rows[order[firsts[group]]];
                var sums = hiddenRows + (long)order[firsts[group]] * chunk.Width;
                for (var i = firsts[group] + 1; i < (group + 1 < firsts.Length ? firsts[group + 1] : order.Length); i++)
                {
                    for (var c = 0; c < chunk.Width; c++)
                        sums[c] += hiddenRows[(long)order[i] * chunk.Width + c];
                }
                RoundedRows<T, TFormat, V>.Store(sums, 1, (T*)target + (long)row * chunk.Width, chunk.Width);
            }
        });
        return tokens;
    }

    private void Strip(int strip)
    {
        var (width, labels) = (chunk.Width, chunk.Padded);
        const int Rows = HeadChunk<T>.BlockRows;
        var scratch = new ScratchMemory(
            ScratchMemory.Size<T>(ProductRows * labels) + ScratchMemory.Size<T>(Rows * labels)
            + ScratchMemory.Size<T>(ProductRows * width) + ScratchMemory.Size<T>(Rows * width));
        var left = scratch.Take<T>(ProductRows * labels);       // logits' gradient as a left operand [rows, labels]
        var right = scratch.Take<T>(Rows * labels);             // and as a right operand
        var columns = scratch.Take<T>(Rows * width);            // weight as a left operand transposed, [width, rows]
        var work = scratch.Take<T>(ProductRows * width);
        var sums = hiddenSums + (long)strip * width * chunk.Capacity;
        if (hiddenRows != null)
            new Span<float>(sums, width * labels).Clear();
        for (var block = chunk.Blocks * strip / chunk.Strips; block < chunk.Blocks * (strip + 1) / chunk.Strips; block++)
        {
            var first = block * Rows;
            var padded = Pad(Math.Min(Rows, chunk.Vocabulary - first));
            for (var row = 0; row < padded; row += ProductRows)
            {
                var count = Math.Min(ProductRows, chunk.Vocabulary - first - row);
                LogitGradients(first + row, Pad(count), left, right + (long)row * labels);
                if (weightSums != null)
                {
                    var target = weightSums + (long)(first + row) * width;
                    TFormat.Multiply(
                        count, width, labels, left, labels, chunk.HiddenRight, width, target, width, addsToWeight || chunk.Start > 0);
                }
                if (hiddenRows != null)
                    PackColumns(first + row, count, columns, row, padded, work);
            }
            for (var m = 0; hiddenRows != null && m < width; m += ProductRows)
            {
                TFormat.Multiply(
                    Math.Min(ProductRows, width - m), labels, padded, columns + (long)m * padded, padded, right, labels,
                    sums + (long)m * labels, labels, true);
            }
        }
    }

    private static int Pad(int rows) => (rows + HeadChunk<T>.TileRows - 1) / HeadChunk<T>.TileRows * HeadChunk<T>.TileRows;

    /// <summary>Rows of the weight as columns of a left operand [width, stride].</summary>
    private void PackColumns(int first, int count, T* columns, int column, int stride, T* work)
    {
        var (width, perLane) = (chunk.Width, sizeof(float) / sizeof(T));
        TFormat.Pack((T*)call.Weight.Pointer + (long)first * width, width, count, width, work, Pad(count), width);
        DwordTransposition.Run<V>((float*)work, width, Pad(count) / perLane, width, (float*)(columns + column), stride / perLane);
    }

    private void LogitGradients(int first, int rows, T* left, T* right)
    {
        var labels = chunk.Padded;
        var part = first / HeadChunk<T>.StatisticRows;
        for (var laneBlock = 0; laneBlock < chunk.LaneBlocks; laneBlock++)
        {
            var exps = chunk.ExpLogits(part, laneBlock) + first % HeadChunk<T>.StatisticRows * Lanes;
            for (var lane = 0; lane < chunk.LaneCount(laneBlock); lane += 2 * V.Count)
            {
                var label = laneBlock * Lanes + lane;
                var (factor, nextFactor) = (Factor(part, label), Factor(part, label + V.Count));
                for (var row = 0; row < rows; row += 2)
                {
                    var (a, c) = TFormat.LoadRight(exps + row * Lanes, lane, Lanes);
                    var (b, d) = TFormat.LoadRight(exps + row * Lanes, lane + V.Count, Lanes);
                    (a, b, c, d) = (a * factor, b * nextFactor, c * factor, d * nextFactor);
                    TFormat.StoreLeft(a, b, left + (long)row * labels + label);
                    TFormat.StoreLeft(c, d, left + (long)(row + 1) * labels + label);
                    TFormat.StoreRight(a, c, right + (long)row * labels, label, labels);
                    TFormat.StoreRight(b, d, right + (long)row * labels, label + V.Count, labels);
                }
            }
        }
        for (var label = 0; label < chunk.Count; label++)
        {
            var row = call.Labels[chunk.Start + label] - first;
            if (row < 0 || row >= rows)
                continue;
            var gradient = (float)(chunk.Factors[label] - chunk.Factors[label] * Math.Exp(statistics!.Logps[chunk.Start + label]));
            TFormat.SetLeft(gradient, left + (long)row * labels, label);
            TFormat.SetRight(gradient, right + (long)(row & ~1) * labels, (row & 1) != 0, label, labels);
        }
    }

    /// <summary>What turns exponentials of one part of the vocabulary into minus factor * probability.</summary>
    private V Factor(int part, int label) =>
        -V.Load(chunk.Factors + label)
        * Exponential.PowerOfTwo(V.Load(chunk.Maxima + (long)part * chunk.Capacity + label) - V.Load(chunk.LogSumExp + label));

    private void SumStrips(long begin, long end)
    {
        var (width, labels) = (chunk.Width, chunk.Padded);
        for (var block = (int)begin; block < end; block++)
        {
            var scratch = new ScratchMemory(ScratchMemory.Size<float>(width * Lanes));
            var sums = scratch.Take<float>(width * Lanes);
            for (var c = 0; c < width; c++)
            {
                for (var lane = 0; lane < chunk.LaneCount(block); lane += V.Count)
                {
                    var sum = default(V);
                    for (var strip = 0; strip < chunk.Strips; strip++)
                        sum += V.Load(hiddenSums + (long)strip * width * chunk.Capacity + (long)c * labels + block * Lanes + lane);
                    sum.Store(sums + c * Lanes + lane);
                }
            }
            var count = Math.Min(Lanes, chunk.Count - block * Lanes);
            DwordTransposition.Run<V>(sums, Lanes, width, count, hiddenRows + (long)(chunk.Start + block * Lanes) * width, width);
        }
    }
}
