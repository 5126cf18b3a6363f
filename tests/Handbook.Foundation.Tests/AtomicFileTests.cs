using Handbook.TestSupport;

namespace Handbook.Foundation.Tests;

public sealed class AtomicFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("handbook-atomic-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string At(string name) => Path.Combine(folder, name);

    [Fact]
    public void ALink_IsFollowedAndStays()
    {
        Directory.CreateDirectory(At("elsewhere"));
        File.WriteAllText(At("elsewhere/file"), "old");
        File.CreateSymbolicLink(At("link"), "elsewhere/file");
        AtomicFile.WriteText(At("link"), "new");
        Assert.Equal("new", File.ReadAllText(At("elsewhere/file")));
        Assert.Equal(PathKind.Link, PathStatus.OfLink(At("link")).Kind);
        Assert.Equal(["file"], Directory.GetFiles(At("elsewhere")).Select(Path.GetFileName));
    }

    [Fact]
    public void ALinkToWhatIsNotThereYet_IsFollowed()
    {
        File.CreateSymbolicLink(At("link"), At("target"));
        AtomicFile.WriteText(At("link"), "new");
        Assert.Equal("new", File.ReadAllText(At("target")));
        Assert.Equal(PathKind.Link, PathStatus.OfLink(At("link")).Kind);
    }

    [Fact]
    public void WhatIsNoFile_IsRefusedAndStays()
    {
        File.CreateSymbolicLink(At("self"), At("self"));
        Refused(At("self"), "a link that leads nowhere");
        Refused(SpecialFiles.MakePipe(At("pipe")), "a named pipe");
        Refused(folder, "a folder");
        Assert.Equal(PathKind.Pipe, PathStatus.Of(At("pipe")).Kind);
    }

    [DeviceFact]
    public void ADevice_IsRefusedAndStays()
    {
        Refused(SpecialFiles.MakeZeros(At("device")), "a device");
        File.CreateSymbolicLink(At("link"), At("device"));
        Refused(At("link"), "a device");
        Assert.Equal(PathKind.Device, PathStatus.OfLink(At("device")).Kind);
    }

    // Before names were random, a link of the known name led the content anywhere.
    [Fact]
    public void PlantedLinks_LeadNowhere()
    {
        File.WriteAllText(At("precious"), "precious");
        foreach (var name in new[] { "file.partial", "file.0000abcd.partial" })
            File.CreateSymbolicLink(At(name), At("precious"));
        AtomicFile.WriteText(At("file"), "new");
        AtomicFile.WriteNamed(At("file"), inner =>
        {
            File.WriteAllText(Path.Combine(inner, "x"), "newer");
            return Path.Combine(inner, "x");
        });
        Assert.Equal("newer", File.ReadAllText(At("file")));
        Assert.Equal("precious", File.ReadAllText(At("precious")));
        Assert.Equal(4, Directory.GetFileSystemEntries(folder).Length);
    }

    [Fact]
    public void WhatAKilledWriterLeft_GoesWithTheNextWrite_AndALivingOnesStays()
    {
        File.WriteAllText(At("file.0123abcd.partial"), "half");
        File.WriteAllText(At("file.mine.partial"), "a user's own");
        AtomicFile.Write(At("file"), _ =>
        {
            AtomicFile.WriteText(At("file"), "inner");
            Assert.Single(Directory.GetFiles(folder, "*.partial"), path => !path.EndsWith("mine.partial", StringComparison.Ordinal));
        });
        Assert.Equal(["file", "file.mine.partial"], Directory.GetFiles(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void AFailedWrite_LeavesTheOldContent()
    {
        File.WriteAllText(At("file"), "old");
        Assert.Throws<InvalidOperationException>(() => AtomicFile.Write(At("file"), _ => throw new InvalidOperationException()));
        Assert.Equal("old", File.ReadAllText(At("file")));
        Assert.Single(Directory.GetFiles(folder));
    }

    [Fact]
    public void OutputFile_LetsOursBeReplaced_AndAsksForTheRest()
    {
        File.WriteAllText(At("ours"), "begins\nmade by us\n" + new string('x', 200_000));
        File.WriteAllText(At("ours at its end"), new string('x', 200_000) + "made by us\n");
        File.WriteAllText(At("yours"), "made by you");
        OutputFile.Check("--to", At("ours"), overwrite: false, "made by us"u8);
        OutputFile.Check("--to", At("ours at its end"), overwrite: false, "made by us"u8);
        OutputFile.Check("--to", At("new"), overwrite: false, "made by us"u8);
        OutputFile.Check("--to", At("yours"), overwrite: true, "made by us"u8);
        Assert.Equal($"--to {At("yours")}: a file that this command did not write is there already; name another, or add --overwrite.",
            Assert.Throws<UserErrorException>(() => OutputFile.Check("--to", At("yours"), overwrite: false, "made by us"u8)).Message);
        Assert.Throws<UserErrorException>(() => OutputFile.Check("--to", At("none/new"), overwrite: true, "made by us"u8));
        Assert.Throws<UserErrorException>(() => OutputFile.Check("--to", SpecialFiles.MakePipe(At("pipe")),
            overwrite: true, "made by us"u8));
    }

    private static void Refused(string path, string what)
    {
        var expected = $"{path}: {what} stands here; a new name or an ordinary file is expected.";
        Assert.Equal(expected, Assert.Throws<UserErrorException>(() => AtomicFile.WriteText(path, "new")).Message);
        Assert.Equal(expected, Assert.Throws<UserErrorException>(() => AtomicFile.WriteNamed(path, inner => inner)).Message);
    }

    [Fact]
    public void WriteNamed_AfterAKill_ClearsItsOwnLeftoversOnly()
    {
        var root = Directory.CreateTempSubdirectory("atomic-named").FullName;
        try
        {
            var path = Path.Combine(root, "rows.parquet");
            var (left, held, foreign, other) = (path + ".0123abcd.partial", path + ".89abcdef.partial", path + ".76543210.partial",
                Path.Combine(root, "x.0123abcd.partial"));
            foreach (var folder in new[] { left, held, foreign, other })
            {
                Directory.CreateDirectory(folder);
                File.WriteAllText(Path.Combine(folder, "rows.jsonl"), "{}");
            }
            File.WriteAllText(Path.Combine(left, ".lock"), "handbook lock\n1\nhandbook data export\n");
            File.WriteAllText(Path.Combine(other, ".lock"), "handbook lock\n1\nhandbook data export\n");
            using (FileLock.Take(Path.Combine(held, ".lock"), CancellationToken.None))
            {
                AtomicFile.WriteNamed(path, folder =>
                {
                    File.WriteAllText(Path.Combine(folder, "a"), "whole");
                    return Path.Combine(folder, "a");
                });
                Assert.Equal((false, true, true, true), (Path.Exists(left), Path.Exists(held), Path.Exists(foreign), Path.Exists(other)));
            }
            Assert.Equal("whole", File.ReadAllText(path));
            Assert.Equal(3, Directory.GetDirectories(root).Length);
        }
        finally { Directory.Delete(root, recursive: true); }
    }
}
