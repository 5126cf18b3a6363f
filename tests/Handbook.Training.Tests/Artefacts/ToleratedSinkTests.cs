using Handbook.TestSupport;
using Handbook.Training.Artefacts;

namespace Handbook.Training.Tests.Artefacts;

public sealed class ToleratedSinkTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("handbook-sink-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [DeviceFact]
    public void ALogOnAFullDisk_IsToldOnce_AndTheRunGoesOn()
    {
        using var full = new AppendedFile(SpecialFiles.MakeFull(Path.Combine(folder, "log")), FileMode.Open);
        var told = new List<string>();
        var sink = new ToleratedSink("jsonl", _ => full.Append("row\n"u8), told.Add);
        for (var step = 1; step <= 3; step++)
            sink.Write(new MetricsRow { Step = step, Values = [] });
        Assert.StartsWith("jsonl: cannot be written: ", Assert.Single(told), StringComparison.Ordinal);
    }

    [Fact]
    public void AppendedFile_AddsBehindWhatIsThere()
    {
        var path = Path.Combine(folder, "log");
        File.WriteAllText(path, "first\n");
        using (var file = new AppendedFile(path, FileMode.Append))
            file.Append("second\n"u8);
        Assert.Equal("first\nsecond\n", File.ReadAllText(path));
    }

    [Fact]
    public void AnotherFault_IsNoLogsBusiness() =>
        Assert.Throws<InvalidOperationException>(() => new ToleratedSink("jsonl", _ => throw new InvalidOperationException(), _ => { })
            .Write(new MetricsRow { Step = 1, Values = [] }));
}
