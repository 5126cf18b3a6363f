using Handbook.Data.Random;
using Handbook.Training.Schedules;

namespace Handbook.Training.Loop;

/// <summary>
/// Which rows stand in which micro-batch of which optimizer step. A pure function of its arguments, so that a run can be taken up
/// at any step without a saved position: epochs of <c>randperm(seed + epoch)</c> as Accelerate's sampler has them, cut into
/// micro-batches, dealt to the ranks in turn, gathered into steps; the last step of an epoch takes what is left, as transformers does.
/// </summary>
/// <param name="rowCount">Rows of the training set, counted after packing.</param>
/// <param name="batchSize">Rows in a micro-batch.</param>
/// <param name="accumulation">Micro-batches in an optimizer step.</param>
/// <param name="seed">Seed of the order.</param>
/// <param name="shuffle">False keeps the rows' own order in every epoch.</param>
/// <param name="dropLast">Leave out an epoch's last micro-batch when it is not full.</param>
/// <param name="rowLengths">Tokens of each row: rows of like length then share micro-batches. Null: they need not.</param>
/// <param name="world">All ranks; null for this one alone.</param>
/// <exception cref="UserErrorException">There is no row, or none remains after dropping.</exception>
public sealed class BatchSchedule(
    int rowCount, int batchSize, int accumulation, long seed, bool shuffle = true, bool dropLast = false, int[]? rowLengths = null,
    World? world = null)
{
    private readonly World world = world ?? World.Single;
    private readonly int microBatches = CountMicroBatches(rowCount, batchSize, dropLast);
    private int cachedEpoch = -1;
    private int[] cachedOrder = [];

    /// <summary>Micro-batches of a rank in a pass over the data.</summary>
    public int MicroBatchesPerEpoch => (microBatches + world.Size - 1) / world.Size;

    /// <summary>Optimizer steps of a pass over the data.</summary>
    public int StepsPerEpoch => TrainingSteps.PerEpoch(MicroBatchesPerEpoch, accumulation);

    /// <summary>
    /// This rank's micro-batches of the optimizer step with this 0-based number, each the indices of its rows; at the end of an epoch there
    /// may be none for a rank.
    /// </summary>
    public int[][] MicroBatches(int step)
    {
        var order = Order(step / StepsPerEpoch);
        var first = step % StepsPerEpoch * accumulation;
        return
        [
            .. Enumerable.Range(first, Math.Min(accumulation, MicroBatchesPerEpoch - first)).Select(i => i * world.Size + world.Rank)
                .Where(own => own < microBatches).Select(own => order[(own * batchSize)..Math.Min(rowCount, (own + 1) * batchSize)]),
        ];
    }

    /// <summary>Epochs done after so many optimizer steps, with fraction.</summary>
    public double EpochAfter(int steps)
    {
        var (epoch, rest) = (steps / StepsPerEpoch, steps % StepsPerEpoch);
        return epoch + (double)(rest * accumulation) / MicroBatchesPerEpoch;
    }

    private int[] Order(int epoch)
    {
        if (epoch == cachedEpoch)
            return cachedOrder;
        cachedEpoch = epoch;
        return cachedOrder = (shuffle, rowLengths) switch
        {
            (_, { } lengths) => EpochOrder.GroupedByLength(lengths, batchSize, new TorchGenerator((ulong)(seed + epoch))),
            (true, _) => EpochOrder.Seedable(seed, epoch, rowCount),
            _ => [.. Enumerable.Range(0, rowCount)],
        };
    }

    private static int CountMicroBatches(int rows, int batchSize, bool dropLast)
    {
        if (rows < 1)
            throw new UserErrorException("The training set is empty: no row is left to train on.");
        if (dropLast && rows < batchSize)
            throw new UserErrorException($"dataloader_drop_last: the training set has {Quantity.Of(rows, "row")}, fewer than one batch of "
                + $"per_device_train_batch_size {batchSize}.");
        return dropLast ? rows / batchSize : (rows + batchSize - 1) / batchSize;
    }
}
