using Handbook.Data.Random;

namespace Handbook.Data.Tests.Random;

public sealed class TorchGeneratorTests
{
    [Fact, Trait("Category", "Golden")]
    public void Permutation_EveryGoldenSeedAndLength_EqualsRandperm() => GoldenRecords.Check("randperm_generator", (name, record) =>
        GoldenRecords.AssertSequence(name, record, "values",
            GoldenRecords.Wide(new TorchGenerator(GoldenRecords.Seed(record)).Permutation(record.GetProperty("n").GetInt32()))));

    [Fact, Trait("Category", "Golden")]
    public void RandomSampler_EveryGoldenSeed_DrawsItsSeedFromTheDefaultGenerator() =>
        GoldenRecords.Check("random_sampler_default", (name, record) =>
        {
            var seed = GoldenRecords.Seed(record);
            Assert.Equal(record.GetProperty("drawn_seed").GetInt64(), new TorchGenerator(seed).NextSeed());
            var order = EpochOrder.RandomSampler(new TorchGenerator(seed), record.GetProperty("n").GetInt32());
            GoldenRecords.AssertSequence(name, record, "values", GoldenRecords.Wide(order));
        });

    [Fact, Trait("Category", "Golden")]
    public void NextSeed_EveryGoldenSeed_EqualsRandomOfInt64() => GoldenRecords.Check("default_int64_random", (name, record) =>
    {
        var generator = new TorchGenerator(GoldenRecords.Seed(record));
        var drawn = Enumerable.Range(0, record.GetProperty("n").GetInt32()).Select(_ => generator.NextSeed()).ToArray();
        GoldenRecords.AssertSequence(name, record, "values", drawn);
    });

    [Fact, Trait("Category", "Golden")]
    public void Seedable_EveryGoldenEpoch_EqualsAccelerate() => GoldenRecords.Check("seedable_random_sampler", (name, record) =>
    {
        var order = EpochOrder.Seedable((long)GoldenRecords.Seed(record), record.GetProperty("epoch").GetInt32(),
            record.GetProperty("n").GetInt32());
        GoldenRecords.AssertSequence(name, record, "values", GoldenRecords.Wide(order));
    });

    [Fact]
    public void GroupedByLength_ManyRows_IsAPermutationInSortedMegaBatchesWithTheLongestFirst()
    {
        var lengths = Enumerable.Range(0, 1000).Select(i => i * 7919 % 613).ToArray();
        var order = EpochOrder.GroupedByLength(lengths, 4, new TorchGenerator(3));
        Assert.Equal(Enumerable.Range(0, 1000), order.Order());
        Assert.Equal(lengths.Max(), lengths[order[0]]);
        // 50 batches of 4 make a mega-batch; within one, only the first place may have been swapped.
        for (var start = 0; start < order.Length; start += 200)
        {
            var part = order.Skip(start + 1).Take(199).Select(row => lengths[row]).ToArray();
            Assert.Equal(part.OrderDescending(), part);
        }
    }
}
