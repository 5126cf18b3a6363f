namespace Handbook.Data.Random;

/// <summary>
/// The order in which rows of a training set are visited, epoch by epoch, as PyTorch and Accelerate have it. Every order
/// is a pure function of seed, epoch and count, so a run can be taken up at any position.
/// </summary>
public static class EpochOrder
{
    /// <summary>
    /// Accelerate's <c>SeedableRandomSampler</c>, which the trainers use: <c>randperm</c> of a generator seeded with
    /// <c>seed + epoch</c>.
    /// </summary>
    public static int[] Seedable(long seed, int epoch, int count) => new TorchGenerator((ulong)(seed + epoch)).Permutation(count);

    /// <summary>
    /// PyTorch's own <c>RandomSampler</c> without a generator, right after <c>torch.manual_seed(seed)</c>: the default
    /// generator gives the seed of the permutation.
    /// </summary>
    public static int[] RandomSampler(TorchGenerator defaultGenerator, int count) =>
        new TorchGenerator((ulong)defaultGenerator.NextSeed()).Permutation(count);

    /// <summary>
    /// Transformers' <c>LengthGroupedSampler</c>: a random permutation cut into mega-batches of at most 50 batches, each
    /// sorted from long to short, the longest row of all put first so that memory fails at once or not at all.
    /// </summary>
    public static int[] GroupedByLength(ReadOnlySpan<int> lengths, int batchSize, TorchGenerator generator)
    {
        var megaBatch = batchSize * Math.Max(1, Math.Min(lengths.Length / (batchSize * 4), 50));
        var order = generator.Permutation(lengths.Length);
        var longest = 0;
        for (var start = 0; start < order.Length; start += megaBatch)
        {
            var part = order.AsSpan(start, Math.Min(megaBatch, order.Length - start));
            SortFromLongToShort(part, lengths);
            if (lengths[order[start]] > lengths[order[longest]])
                longest = start;
        }
        if (order.Length > 0)
            (order[0], order[longest]) = (order[longest], order[0]);
        return order;
    }

    /// <summary>Rows of equal length keep their order, as Python's sort does.</summary>
    private static void SortFromLongToShort(Span<int> rows, ReadOnlySpan<int> lengths)
    {
        var keys = new (int Length, int Place)[rows.Length];
        for (var i = 0; i < rows.Length; i++)
            keys[i] = (-lengths[rows[i]], i);
        var sorted = rows.ToArray();
        Array.Sort(keys, sorted);
        sorted.CopyTo(rows);
    }
}
