using Handbook.Training.Progress;

namespace Handbook.Training.Tests.Progress;

public sealed class ProgressTests
{
    [Theory]
    [InlineData(0.4, "0s")]
    [InlineData(42, "42s")]
    [InlineData(201, "3:21")]
    [InlineData(3900, "1:05:00")]
    [InlineData(183_840, "2d 03:04")]
    public void Time_Seconds_ReadsShort(double seconds, string expected) =>
        Assert.Equal(expected, ProgressText.Time(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData(950, "950")]
    [InlineData(4218, "4.2k")]
    [InlineData(183_400, "183k")]
    [InlineData(1_340_000, "1.3M")]
    public void Count_Tokens_HasAUnit(double count, string expected) => Assert.Equal(expected, ProgressText.Count(count));

    [Fact]
    public void Line_Step_NamesEverything() =>
        Assert.Equal(
            "step 10/200  epoch 0.05  loss 2.3041  grad 1.2  lr 2.0e-05  4.2k tok/s  eta 3:21",
            ProgressText.Line(new StepProgress
            {
                Step = 10,
                TotalSteps = 200,
                Epoch = 0.05,
                Loss = 2.30412,
                GradientNorm = 1.2,
                LearningRate = 2e-5,
                TokensPerSecond = 4200,
                Remaining = TimeSpan.FromSeconds(201),
                IsLogged = true,
            }));

    [Fact]
    public void StepClock_EvenPace_GivesSpeedAndRest()
    {
        var clock = new ManualClock();
        var steps = new StepClock(clock);
        for (var i = 0; i < 5; i++)
        {
            clock.Advance(2);
            steps.Tick(1000);
        }
        clock.Advance(100);
        steps.Skip();
        clock.Advance(2);
        steps.Tick(1000);
        Assert.Equal(500, steps.TokensPerSecond, 1e-9);
        Assert.Equal(20, steps.Remaining(10).TotalSeconds, 1e-6);
    }

    private sealed class ManualClock : TimeProvider
    {
        private long ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => ticks;

        public void Advance(double seconds) => ticks += TimeSpan.FromSeconds(seconds).Ticks;
    }
}
