using System.Globalization;
using Handbook.Data.Random;

namespace Handbook.Data.Tests.Random;

public sealed class NumpyGeneratorTests
{
    [Fact, Trait("Category", "Golden")]
    public void SeedSequenceAndPcg64_EveryGoldenSeed_GiveNumpysStreams() => GoldenRecords.Check("pcg64", (name, record) =>
    {
        var seed = GoldenRecords.Seed(record);
        var sequence = new SeedSequence(seed);
        Assert.Equal(record.GetProperty("seed_sequence_generate_state_uint32_8").EnumerateArray().Select(v => v.GetUInt32()),
            sequence.GenerateUInt32(8));
        Assert.Equal(Numbers("seed_sequence_generate_state_uint64_4"), sequence.GenerateUInt64(4));

        var pcg = new Pcg64(sequence);
        Assert.Equal(record.GetProperty("pcg64_state").GetString(), pcg.State.State.ToString(CultureInfo.InvariantCulture));
        Assert.Equal(record.GetProperty("pcg64_inc").GetString(), pcg.State.Increment.ToString(CultureInfo.InvariantCulture));
        Assert.Equal(Numbers("random_raw_uint64_8"), Enumerable.Range(0, 8).Select(_ => pcg.NextUInt64()));

        var floats = new NumpyGenerator(seed);
        Assert.All(record.GetProperty("random_float64_6").EnumerateArray(), v => Assert.Equal(v.GetDouble(), floats.NextDouble()));
        var small = new NumpyGenerator(seed);
        Assert.All(record.GetProperty("integers_0_10_x12").EnumerateArray(), v => Assert.Equal(v.GetUInt64(), small.Integer(10)));
        var wide = new NumpyGenerator(seed);
        Assert.All(Numbers("integers_0_2p40_x4"), v => Assert.Equal(v, wide.Integer(1UL << 40)));

        ulong[] Numbers(string key) =>
            [.. record.GetProperty(key).EnumerateArray().Select(v => ulong.Parse(v.GetString()!, CultureInfo.InvariantCulture))];
    });

    [Fact, Trait("Category", "Golden")]
    public void Permutation_EveryGoldenSeedAndLength_EqualsDatasetShuffle() => GoldenRecords.Check("shuffle", (name, record) =>
    {
        var order = new NumpyGenerator(GoldenRecords.Seed(record)).Permutation(record.GetProperty("n").GetInt32());
        GoldenRecords.AssertSequence(name, record, "values", GoldenRecords.Wide(order));
    });

    [Fact]
    public void SeedSequence_NegativeSeed_IsRefused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new SeedSequence(-1));

    [Fact]
    public void ChoiceWithoutReplacement_EveryCount_GivesDistinctMembers()
    {
        // Both of NumPy's ways: Floyd's sampling, and the tail of a shuffle for a large share of a large population.
        foreach (var (population, count) in new[] { (5, 5), (40, 7), (20000, 30), (20000, 900) })
        {
            var values = Enumerable.Range(1000, population).ToArray();
            var chosen = new NumpyGenerator(7).ChoiceWithoutReplacement(values, count);
            Assert.Equal(count, chosen.Distinct().Count());
            Assert.All(chosen, v => Assert.InRange(v, 1000, 1000 + population - 1));
        }
    }
}
