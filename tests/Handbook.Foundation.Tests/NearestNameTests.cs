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
    public void Find_GivesNothingWhenNothingIsNear() => Assert.Null(NearestName.Find("banana", ["learning_rate", "seed"]));
}
