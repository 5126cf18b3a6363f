namespace Handbook.Foundation.Tests;

public class NearestNameTests
{
    [Theory]
    [InlineData("learning_rte", "learning_rate")]
    [InlineData("per_device_batch_size", "per_device_train_batch_size")]
    [InlineData("LEARNING_RATE", "learning_rate")]
    public void Find_GivesTheNearest(string given, string expected) =>
        Assert.Equal(expected, NearestName.Find(given, ["learning_rate", "per_device_train_batch_size", "seed"]));

    [Fact]
    public void Find_OverAMillionNames_AndOneOfAMillionLetters_EndsSoon()
    {
        var names = Enumerable.Range(0, 1_000_000).Select(i => new string('x', 180) + i).Prepend(new string('y', 1_000_000))
            .Prepend("model.norm.weight");
        Assert.Equal("model.norm.weight", NearestName.Find("model.norm.weigth", names));
        Assert.Null(NearestName.Find(new string('z', 1_000_000), names));
        Assert.Null(NearestName.Find(new string('z', 180), names));
    }

    [Fact]
    public void Find_GivesNothingWhenNothingIsNear() => Assert.Null(NearestName.Find("banana", ["learning_rate", "seed"]));
}
