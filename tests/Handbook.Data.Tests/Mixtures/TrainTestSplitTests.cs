using System.Text.Json;
using Handbook.Data.Mixtures;

namespace Handbook.Data.Tests.Mixtures;

public sealed class TrainTestSplitTests
{
    [Fact, Trait("Category", "Golden")]
    public void Split_EveryGoldenCase_GivesTheReferencesRowsOrWords() => GoldenRecords.Check("train_test_split", (name, record) =>
    {
        var split = () => TrainTestSplit.Split(record.GetProperty("n").GetInt32(), Size(record, "test_size"), Size(record, "train_size"),
            (long)GoldenRecords.Seed(record), record.GetProperty("shuffle").GetBoolean());
        if (record.TryGetProperty("error", out var error))
        {
            Assert.Equal(error.GetString(), "ValueError: " + Assert.Throws<UserErrorException>(() => split()).Message);
            return;
        }
        var (train, test) = split();
        Assert.Equal((record.GetProperty("n_train").GetInt32(), record.GetProperty("n_test").GetInt32()), (train.Length, test.Length));
        GoldenRecords.AssertSequence(name, record, "train", GoldenRecords.Wide(train));
        GoldenRecords.AssertSequence(name, record, "test", GoldenRecords.Wide(test));
    });

    [Fact, Trait("Category", "Golden")]
    public void Stratified_EveryGoldenCase_GivesTheReferencesRows() => GoldenRecords.Check("train_test_split_stratified", (name, record) =>
    {
        var labels = record.GetProperty("labels").EnumerateArray().Select(v => v.GetInt32()).ToArray();
        var (train, test) = TrainTestSplit.Stratified(labels, Size(record, "test_size"), Size(record, "train_size"),
            (long)GoldenRecords.Seed(record));
        GoldenRecords.AssertSequence(name, record, "train", GoldenRecords.Wide(train));
        GoldenRecords.AssertSequence(name, record, "test", GoldenRecords.Wide(test));
    });

    [Fact]
    public void Stratified_ClassOfOneRow_IsRefused() => Assert.Contains("only 1 member",
        Assert.Throws<UserErrorException>(() => TrainTestSplit.Stratified([0, 0, 0, 1], SplitSize.Fraction(.5), null, 0)).Message,
        StringComparison.Ordinal);

    /// <summary>The record says Python's type where it matters; else a number with a point is a float.</summary>
    private static SplitSize? Size(JsonElement record, string key)
    {
        var size = record.GetProperty(key);
        if (size.ValueKind == JsonValueKind.Null)
            return null;
        var isFloat = record.TryGetProperty(key + "_type", out var type)
            ? type.GetString() == "float" : size.GetRawText().Contains('.', StringComparison.Ordinal);
        return new SplitSize(size.GetDouble(), isFloat);
    }
}
