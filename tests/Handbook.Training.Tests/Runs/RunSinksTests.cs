using Handbook.TestSupport;
using Handbook.Training.Artefacts;
using Handbook.Training.Options;
using Handbook.Training.Runs;

namespace Handbook.Training.Tests.Runs;

public sealed class RunSinksTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Open_AllSinks_EachGetsEveryRow()
    {
        Write(resumedStep: 0, MetricsRow.Of(1, 0.1, ("loss", 2.5)), MetricsRow.Of(2, 0.2, ("loss", 2)),
            MetricsRow.Of(3, 0.3, ("loss", double.NaN)));
        Write(resumedStep: 2, MetricsRow.Of(3, 0.3, ("loss", 1.5)));
        Assert.Equal(
            ["step,epoch,name,value", "1,0.1,loss,2.5", "2,0.2,loss,2.0", "3,0.3,loss,1.5"],
            File.ReadAllLines(folder.File(CsvLog.FileName)));
        Assert.Equal([2.5, 2, 1.5], MetricsLog.Read(folder.File(MetricsLog.FileName)).Select(row => row["loss"]!.Value));
        Assert.Equal(2, Directory.GetFiles(folder.File("runs"), "events.out.tfevents.*", SearchOption.AllDirectories).Length);
    }

    [Fact]
    public void Open_UnknownSink_NamesTheNearest()
    {
        var error = Assert.Throws<UserErrorException>(() => RunSinks.Open(new LoggingOptions { ReportTo = ["tensorbord"] }, folder.Path, 0,
            TimeProvider.System, _ => { }));
        Assert.EndsWith("Did you mean tensorboard?", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    private void Write(int resumedStep, params MetricsRow[] rows)
    {
        var (sinks, owned) = RunSinks.Open(new LoggingOptions { ReportTo = [.. RunSinks.Names] }, folder.Path, resumedStep,
            TimeProvider.System, Assert.Fail);
        foreach (var row in rows)
        {
            foreach (var sink in sinks)
                sink(row);
        }
        foreach (var one in owned)
            one.Dispose();
    }
}
