using System.Text.Json;
using Handbook.Data.Mixtures;

namespace Handbook.Data.Tests.Mixtures;

public sealed class MixtureTests
{
    [Fact, Trait("Category", "Golden")]
    public void Combine_EveryGoldenMixture_GivesTheReferencesRowsInOrder() => GoldenRecords.Check("handbook_mixture", (name, record) =>
    {
        var lengths = record.GetProperty("lengths").EnumerateArray().Select(v => v.GetInt32()).ToArray();
        var weights = record.GetProperty("weights").EnumerateArray()
            .Select(v => v.ValueKind == JsonValueKind.Null ? (double?)null : v.GetDouble()).ToArray();
        var entries = lengths.Select((length, i) => new MixtureEntry($"set {i}", "train", length, weights[i])).ToList();
        var size = record.GetProperty("test_split_size");
        SplitSize? test = size.ValueKind == JsonValueKind.Null ? null
            : size.GetRawText().Contains('.', StringComparison.Ordinal)
                ? SplitSize.Fraction(size.GetDouble()) : SplitSize.Rows(size.GetInt32());
        foreach (var profile in Enum.GetValues<Profile>())
        {
            var order = Mixture.Combine(entries, (long)GoldenRecords.Seed(record), test, profile);
            AssertRows(name, record, "train", order.Train);
            if (test is not null)
                AssertRows(name, record, "test", order.Test);
            Assert.Equal(record.GetProperty("total").GetInt32(), order.Train.Length + order.Test.Length);
        }
    });

    [Fact, Trait("Category", "Golden")]
    public void Cycle_EveryGoldenCase_EqualsInterleaveDatasets() => GoldenRecords.Check("interleave_cycle", (name, record) =>
        AssertInterleaved(name, record, (lengths, stop) => Interleaving.Cycle(lengths, stop)));

    [Fact, Trait("Category", "Golden")]
    public void Draw_EveryGoldenCase_EqualsInterleaveDatasets() => GoldenRecords.Check("interleave_probabilities", (name, record) =>
    {
        var probabilities = record.GetProperty("probabilities").EnumerateArray().Select(v => v.GetDouble()).ToArray();
        AssertInterleaved(name, record,
            (lengths, stop) => Interleaving.Draw(lengths, probabilities, (long)GoldenRecords.Seed(record), stop));
    });

    [Theory]
    [InlineData(new[] { .5, .3, .2 }, 90, 10)]
    [InlineData(new[] { 1.0, 1, 1 }, 270, 30)]
    [InlineData(new[] { .7, .4 }, 99, 11)]
    public void Combine_TheOriginalsTests_GiveItsSizes(double[] weights, int train, int test)
    {
        var order = Mixture.Combine(Sets(weights), 0, SplitSize.Fraction(.1), Profile.Trl019);
        Assert.Equal((train, test), (order.Train.Length, order.Test.Length));
    }

    [Fact]
    public void Combine_WithoutTestSize_TrainsOnAll() =>
        Assert.Equal(100, Mixture.Combine(Sets([.5, .3, .2]), 42, null, Profile.Best).Train.Length);

    [Theory]
    [InlineData(new[] { .5, .3, .2 }, 100, 300)]
    [InlineData(new[] { 1.0, 1, 1 }, 300, 300)]
    [InlineData(new[] { .7, .4 }, 110, 200)]
    public void Mix_TheOriginalsTests_GiveItsSizes(double[] weights, int train, int test)
    {
        var order = Mixture.Mix(
            [.. weights.Select((w, i) => new[] { new MixtureEntry($"s{i}", "train", 100, w), new MixtureEntry($"s{i}", "test", 100, w) })],
            Profile.V03);
        Assert.Equal((train, test), (order.Train.Length, order.Test.Length));
        Assert.Equal(order.Train.Length, order.Train.Distinct().Count());
    }

    [Fact]
    public void Mix_SingleTestSplit_HasNoTrainingRows()
    {
        var order = Mixture.Mix([[new MixtureEntry("s", "test", 100)]], Profile.V03);
        Assert.Equal((0, 100), (order.Train.Length, order.Test.Length));
    }

    [Theory]
    [InlineData(-0.3, "Dataset fractions cannot be negative. s0 has -0.3; expected 0 to 1")]
    [InlineData(1.5, "s0: weight 1.5 asks for more rows than there are; expected 0 to 1")]
    public void Mix_WeightOutOfRange_NamesTheDataset(double weight, string message)
    {
        Assert.Equal(message,
            Assert.Throws<UserErrorException>(() => Mixture.Mix([[new MixtureEntry("s0", "train", 10, weight)]], Profile.Best)).Message);
        Assert.Equal(message,
            Assert.Throws<UserErrorException>(() => Mixture.Combine([new MixtureEntry("s0", "train", 10, weight)], 0,
                null, Profile.Best)).Message);
    }

    [Fact]
    public void Mix_SplitThatIsNeither_IsRefused() => Assert.Contains("neither a training nor a test split",
        Assert.Throws<UserErrorException>(() => Mixture.Mix([[new MixtureEntry("s0", "validation", 10)]], Profile.Best)).Message,
        StringComparison.Ordinal);

    [Fact]
    public void Mix_TwoTrainingSplitsADataset_TakesTheWrongWeightOnlyUnderV03()
    {
        IReadOnlyList<MixtureEntry>[] datasets =
        [
            [new("a", "train_sft", 100, .5), new("a", "train_gen", 100, .5)],
            [new("b", "train_sft", 100, .1), new("b", "train_gen", 100, .1)],
        ];
        var faulty = Mixture.Mix(datasets, Profile.V03);
        Assert.Equal([50, 10], Enumerable.Range(0, 2).Select(source => faulty.Train.Count(row => row.Source == source)));
        Assert.Equal(60, faulty.Train.Length);
        Assert.NotEmpty(faulty.Notes);
        var right = Mixture.Mix(datasets, Profile.Best);
        Assert.Equal([50, 50, 10, 10], Enumerable.Range(0, 4).Select(source => right.Train.Count(row => row.Source == source)));
    }

    [Fact]
    public void Combine_OfficialTestSplit_IsPooledOnlyUnderTheOriginalsProfile()
    {
        MixtureEntry[] entries = [new("u", "train_sft", 90, 1), new("u", "test_sft", 10, 1)];
        var best = Mixture.Combine(entries, 0, SplitSize.Rows(5), Profile.Best);
        Assert.All(best.Train, row => Assert.Equal(0, row.Source));
        Assert.Equal(10, best.Test.Length);
        Assert.Contains("kept for evaluation", best.Notes[0], StringComparison.Ordinal);
        var pooled = Mixture.Combine(entries, 0, SplitSize.Rows(5), Profile.Trl019);
        Assert.Equal((95, 5), (pooled.Train.Length, pooled.Test.Length));
        Assert.Contains(pooled.Train, row => row.Source == 1);
    }

    private static List<MixtureEntry> Sets(double[] weights) => [.. weights.Select((w, i) => new MixtureEntry($"s{i}", "train", 100, w))];

    private static void AssertInterleaved(string name, JsonElement record, Func<int[], StoppingStrategy, MixtureRow[]> interleave)
    {
        var lengths = record.GetProperty("lengths").EnumerateArray().Select(v => v.GetInt32()).ToArray();
        var stop = Enum.Parse<StoppingStrategy>(
            record.GetProperty("stopping_strategy").GetString()!.Replace("_", "", StringComparison.Ordinal), ignoreCase: true);
        var rows = interleave(lengths, stop).Select(row => (long)lengths.Take(row.Source).Sum() + row.Row).ToArray();
        GoldenRecords.AssertSequence(name, record, "indices", rows);
    }

    private static void AssertRows(string name, JsonElement record, string key, MixtureRow[] rows)
    {
        var expected = record.GetProperty(key).EnumerateArray().Select(v => new MixtureRow(v[0].GetInt32(), v[1].GetInt32())).ToArray();
        Assert.True(expected.SequenceEqual(rows.Take(expected.Length)), $"{name}: {key} differ");
        var hash = record.GetProperty(key + "_fnv1a64").GetString();
        // The hash runs over dataset, row, dataset, row ...
        Assert.Equal(hash, GoldenRecords.Fnv1A([.. rows.SelectMany(row => new long[] { row.Source, row.Row })]));
    }
}
