using Handbook.TestModels;

namespace Handbook.Benchmarks.Tests;

public sealed class TimeBudgetTests
{
    private sealed class HandClock : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }

    [Fact]
    public void Plan_WhatFits_IsAllOfIt()
    {
        var progress = new NotingProgress();
        Assert.Equal(16, new TimeBudget(new HandClock(), TimeSpan.FromMinutes(5), progress).Plan("micro-batches", 16, 10, besides: 30));
        Assert.Equal("16 micro-batches, about 3:10 to go", Assert.Single(progress.Notes));
    }

    /// <summary>The two slow cores of the report: 75 s a micro-batch.</summary>
    [Fact]
    public void Plan_WhatDoesNotFit_IsLeftOutAndSaid()
    {
        var clock = new HandClock();
        var progress = new NotingProgress();
        var budget = new TimeBudget(clock, TimeSpan.FromMinutes(5), progress);
        clock.Now = TimeSpan.FromSeconds(20);
        Assert.Equal(2, budget.Plan("micro-batches", 16, 75, besides: 75));
        Assert.Equal("2 of 16 micro-batches fit into 5 minutes (--minutes allows more); about 3:45 to go", Assert.Single(progress.Notes));
    }

    [Fact]
    public void Plan_WithoutAnyTime_IsOnePart()
    {
        var clock = new HandClock();
        var budget = new TimeBudget(clock, TimeSpan.FromSeconds(1), new NotingProgress());
        clock.Now = TimeSpan.FromMinutes(1);
        Assert.Equal(1, budget.Plan("steps", 5, 100, besides: 0));
        Assert.True(budget.Left < 0);
    }
}
