using Handbook.Reports.Sweeps;
using Handbook.Training.Artefacts;

namespace Handbook.Reports.Tests.Sweeps;

public sealed class SweepReportTests
{
    [Fact]
    public void OverSeeds_OfThreeRuns_GivesMeanAndStudentsInterval()
    {
        var report = Report(["seed"], (["1"], 0.60), (["2"], 0.64), (["3"], 0.68));
        // Deviation 0.04, so 4.303 * 0.04 / sqrt(3).
        Assert.Equal(["all", "3", "0.6400 ± 0.0994"], report.OverSeeds()!.Rows[0]);
    }

    [Fact]
    public void ToPage_OverSeedsOnly_DrawsBarsSinceASeedIsNoQuantity()
    {
        var report = Report(["seed"], (["1"], 0.6), (["2"], 0.7));
        var chart = Assert.IsType<BarChart>(report.ToPage("a", "b").Overview[0]);
        Assert.Equal(["seed 1", "seed 2"], chart.Groups.Select(group => group.Name));
    }

    [Fact]
    public void ToPage_OverBetaAndSeeds_AveragesSeedsIntoACurveForEachLoss()
    {
        var report = Report(
            ["loss_type", "beta", "seed"],
            (["ipo", "0.5", "1"], 0.5), (["ipo", "0.5", "2"], 0.7), (["ipo", "0.1", "1"], 0.8), (["ipo", "0.1", "2"], 0.9),
            (["sigmoid", "0.1", "1"], 0.3), (["sigmoid", "0.1", "2"], 0.5));
        var chart = Assert.IsType<LineChart>(report.ToPage("a", "b").Overview[0]);
        Assert.Equal("beta", chart.XLabel);
        Assert.Equal(["ipo", "sigmoid"], chart.Series.Select(series => series.Name));
        Assert.Equal([0.1, 0.5], chart.Series[0].Points.Select(point => point.X));
        Assert.Equal([0.85, 0.6], chart.Series[0].Points.Select(point => Math.Round(point.Y, 12)));
        Assert.Equal(0.4, chart.Series[1].Points.Single().Y, 12);
    }

    private static SweepReport Report(string[] keys, params (string[] Values, double Accuracy)[] runs) => new(
        [.. runs.Select(run => new SweepResult(
            string.Join('-', run.Values), "", [.. keys.Zip(run.Values)],
            [(MetricNames.EvaluationPrefix + MetricNames.RewardAccuracy, run.Accuracy)]))]);
}
