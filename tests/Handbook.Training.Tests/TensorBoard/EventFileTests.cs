using System.Text;
using Handbook.TestSupport;
using Handbook.Training.Artefacts;
using Handbook.Training.TensorBoard;

namespace Handbook.Training.Tests.TensorBoard;

public sealed class EventFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Crc_CheckString_IsTheStandards()
    {
        // CRC-32C of "123456789" (RFC 3720): the reader under these tests must itself be right.
        Assert.Equal(0xE3069283u, EventReader.Crc(Encoding.ASCII.GetBytes("123456789")));
    }

    [Fact]
    public void Write_Rows_GivesTransformersTags()
    {
        var clock = new FixedClock(new DateTimeOffset(2024, 6, 7, 8, 9, 10, 500, TimeSpan.Zero));
        string path;
        using (var file = EventFile.Open(folder.File("runs"), resumedStep: 0, clock))
        {
            file.Write(MetricsRow.Of(10, 0.5, ("loss", 2.25), ("rewards/margins", -1.5)));
            file.Write(MetricsRow.Of(300, 1.0, ("eval_loss", 1.125)));
            path = file.FilePath;
        }
        Assert.Equal($"Jun07_08-09-10_{Environment.MachineName}", Path.GetFileName(Path.GetDirectoryName(path)));
        Assert.StartsWith($"events.out.tfevents.1717747750.{Environment.MachineName}.", Path.GetFileName(path), StringComparison.Ordinal);
        var events = EventReader.Read(path);
        Assert.Equal("brain.Event:2", events[0].FileVersion);
        Assert.All(events, read => Assert.Equal(1717747750.5, read.WallTime));
        Assert.Equal(
            [(10L, "train/loss", 2.25f), (10L, "train/rewards/margins", -1.5f), (10L, "train/epoch", 0.5f),
                (300L, "eval/loss", 1.125f), (300L, "train/epoch", 1f)],
            events.Skip(1).Select(read => (read.Step, read.Tag!, read.Value)));
    }

    [Fact]
    public void Open_Resumed_AddsAFileThatPurgesLaterSteps()
    {
        var clock = new FixedClock(DateTimeOffset.UnixEpoch.AddDays(1));
        string first;
        using (var file = EventFile.Open(folder.File("runs"), 0, clock))
            first = file.FilePath;
        using var second = EventFile.Open(folder.File("runs"), resumedStep: 7, new FixedClock(DateTimeOffset.UnixEpoch.AddDays(2)));
        second.Write("train/loss", 8, 0.5);
        Assert.Equal(Path.GetDirectoryName(first), Path.GetDirectoryName(second.FilePath));
        Assert.NotEqual(first, second.FilePath);
        var events = EventReader.Read(second.FilePath);
        Assert.Equal((8L, 1), (events[1].Step, events[1].SessionStatus!.Value));
        Assert.Equal((8L, 0.5f), (events[2].Step, events[2].Value));
    }

    private sealed class FixedClock(DateTimeOffset now) : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

        public override DateTimeOffset GetUtcNow() => now;
    }
}
