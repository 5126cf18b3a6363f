using System.Formats.Tar;
using System.IO.Compression;
using Handbook.TestSupport;

namespace Handbook.Foundation.Tests.TestSupport;

public sealed class GoldenArchiveTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("handbook-archive-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Unpack_Archive_GivesItsFilesAndNothingPartial()
    {
        var unpacked = GoldenArchive.Unpack(Pack("vectors.tar.gz", "one"), At("out"));
        Assert.Equal("one", File.ReadAllText(Path.Combine(unpacked, "vectors", "a.txt")));
        Assert.Equal([unpacked], Directory.GetFileSystemEntries(At("out")));
        Assert.Equal(unpacked, GoldenArchive.Unpack(At("vectors.tar.gz"), At("out")));
    }

    [Fact]
    public void Unpack_ArchiveThatChanged_GivesAnotherFolderAndLeavesTheFirst()
    {
        var first = GoldenArchive.Unpack(Pack("vectors.tar.gz", "one"), At("out"));
        Directory.CreateDirectory(At("later"));
        File.Move(Pack("vectors.tar.gz", "two"), At("later/vectors.tar.gz"));
        var second = GoldenArchive.Unpack(At("later/vectors.tar.gz"), At("out"));
        Assert.Equal(("one", "two"),
            (File.ReadAllText(Path.Combine(first, "vectors", "a.txt")), File.ReadAllText(Path.Combine(second, "vectors", "a.txt"))));
    }

    [Fact]
    public void Unpack_ArchiveThatIsBroken_LeavesNoFolderThatLooksWhole()
    {
        var archive = Pack("vectors.tar.gz", new string('x', 100_000));
        File.WriteAllBytes(archive, File.ReadAllBytes(archive)[..^20]);
        Assert.ThrowsAny<Exception>(() => GoldenArchive.Unpack(archive, At("out")));
        Assert.All(Directory.GetFileSystemEntries(At("out")),
            entry => Assert.StartsWith(".", Path.GetFileName(entry), StringComparison.Ordinal));
    }

    [Fact]
    public void Extract_SeveralProcessesAtOnce_AllGetTheSameFolder()
    {
        var archive = Pack("vectors.tar.gz", "one");
        var folders = Enumerable.Range(0, 8).AsParallel().WithDegreeOfParallelism(8).Select(_ => GoldenArchive.Extract(archive, At("out")))
            .ToList();
        Assert.Equal(folders.Distinct(), Directory.GetFileSystemEntries(At("out")));
        Assert.Equal("one", File.ReadAllText(Path.Combine(Assert.Single(folders.Distinct()), "vectors", "a.txt")));
    }

    private string At(string name) => Path.Combine(folder, name);

    private string Pack(string name, string content)
    {
        Directory.CreateDirectory(At("vectors"));
        File.WriteAllText(At("vectors/a.txt"), content);
        using var gzip = new GZipStream(File.Create(At(name)), CompressionLevel.Fastest);
        TarFile.CreateFromDirectory(At("vectors"), gzip, includeBaseDirectory: true);
        return At(name);
    }
}
