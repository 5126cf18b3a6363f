using Handbook.Data.Random;

namespace Handbook.Data.Tests.Random;

public sealed class PythonRandomTests
{
    [Fact, Trait("Category", "Golden")]
    public void Shuffle_EveryGoldenSeedAndLength_EqualsPython() => GoldenRecords.Check("python_random_shuffle", (name, record) =>
    {
        var values = Enumerable.Range(0, record.GetProperty("n").GetInt32()).ToArray();
        new PythonRandom(GoldenRecords.Seed(record)).Shuffle<int>(values);
        GoldenRecords.AssertSequence(name, record, "values", GoldenRecords.Wide(values));
    });

    [Fact, Trait("Category", "Golden")]
    public void NextDouble_EveryGoldenSeed_EqualsPython() => GoldenRecords.Check("python_random_random", (name, record) =>
    {
        var random = new PythonRandom(GoldenRecords.Seed(record));
        Assert.All(record.GetProperty("values").EnumerateArray(), v => Assert.Equal(v.GetDouble(), random.NextDouble()));
    });

    [Fact, Trait("Category", "Golden")]
    public void Sample_EveryGoldenSeed_EqualsPython() => GoldenRecords.Check("python_random_sample_100_10", (name, record) =>
        GoldenRecords.AssertSequence(name, record, "values",
            GoldenRecords.Wide(new PythonRandom(GoldenRecords.Seed(record)).Sample(100, 10))));

    [Fact, Trait("Category", "Golden")]
    public void Below_EveryGoldenSeed_EqualsChoice() => GoldenRecords.Check("python_random_choice_of_10_x10", (name, record) =>
    {
        var random = new PythonRandom(GoldenRecords.Seed(record));
        GoldenRecords.AssertSequence(name, record, "values", [.. Enumerable.Range(0, 10).Select(_ => (long)random.Below(10))]);
    });

    [Fact]
    public void Sample_SmallPopulation_TakesFromAPool()
    {
        // python3.11: random.seed(0); random.sample(range(20), 4)
        Assert.Equal([12, 13, 1, 8], new PythonRandom(0).Sample(20, 4));
    }
}
