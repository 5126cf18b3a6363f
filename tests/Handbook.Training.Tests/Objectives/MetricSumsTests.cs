using Handbook.Training.Objectives;

namespace Handbook.Training.Tests.Objectives;

public sealed class MetricSumsTests
{
    [Fact]
    public void Means_OfTwoMicroBatches_WeighByCount()
    {
        var sums = new MetricSums().Add("loss", 6, 3);
        sums.Add(new MetricSums().Add("loss", 2, 1).Add("empty", 0, 0));
        Assert.Equal([("loss", 2.0)], sums.Means());
    }

    [Fact]
    public void Means_Difference_IsThatOfTheMeans()
    {
        var sums = new MetricSums().Add("chosen", 3, 1).AddDifference("margin", "chosen", "rejected");
        Assert.DoesNotContain("margin", sums.Means().Select(metric => metric.Name));
        sums.Add(new MetricSums().Add("chosen", 1, 1).Add("rejected", 3, 3));
        Assert.Equal([("chosen", 2.0), ("rejected", 1.0), ("margin", 1.0)], sums.Means());
        sums.Clear();
        Assert.Empty(sums.Means());
    }
}
