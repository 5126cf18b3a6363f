using System.Text;
using Handbook.TestSupport;

namespace Handbook.Foundation.Tests;

public sealed class OrdinaryFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("handbook-file-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string At(string name) => Path.Combine(folder, name);

    [Fact]
    public void ReadBytes_GivesWhatTheFileHas_ThroughALinkToo()
    {
        var bytes = Enumerable.Range(0, 200_000).Select(i => (byte)i).ToArray();
        File.WriteAllBytes(At("file"), bytes);
        File.CreateSymbolicLink(At("link"), At("file"));
        Assert.Equal(bytes, OrdinaryFile.ReadBytes(At("file")));
        Assert.Equal(bytes, OrdinaryFile.ReadBytes(At("link")));
    }

    [Theory]
    [InlineData(10, 10)]
    [InlineData(0, 10)]
    public void ReadBytes_TakesUpToItsLimit(int length, int limit)
    {
        File.WriteAllBytes(At("file"), new byte[length]);
        Assert.Equal(length, OrdinaryFile.ReadBytes(At("file"), limit).Length);
    }

    [Fact]
    public void ReadBytes_RefusesMoreThanItsLimit()
    {
        using (var sparse = File.Create(At("huge")))
            sparse.SetLength(OrdinaryFile.SettingsLimit + 1);
        var error = Assert.Throws<UserErrorException>(() => OrdinaryFile.ReadBytes(At("huge")));
        Assert.Equal($"{At("huge")}: more than 16 MB, which no file of its kind has; it is not read.", error.Message);
    }

    [Fact]
    public void ReadText_TakesAByteOrderMarkAndEndsLines()
    {
        File.WriteAllBytes(At("file"), [.. Encoding.UTF8.Preamble, .. "a\r\nb\n"u8]);
        Assert.Equal("a\r\nb\n", OrdinaryFile.ReadText(At("file")));
        Assert.Equal(["a", "b"], OrdinaryFile.ReadLines(At("file")));
    }

    [Fact]
    public void APipe_IsRefusedWithoutWaiting() => Refused(SpecialFiles.MakePipe(At("pipe")), "a named pipe stands here");

    [Fact]
    public void AFolder_IsRefused() => Refused(folder, "a folder stands here");

    [DeviceFact]
    public void ADevice_IsRefusedUnopened() => Refused(SpecialFiles.MakeZeros(At("zeros")), "a device stands here");

    [DeviceFact]
    public void ALinkToADevice_IsRefused()
    {
        File.CreateSymbolicLink(At("link"), SpecialFiles.MakeZeros(At("zeros")));
        Refused(At("link"), "a device stands here");
    }

    [Fact]
    public void ALinkToItself_IsRefused()
    {
        File.CreateSymbolicLink(At("self"), At("self"));
        Refused(At("self"), "a link that leads nowhere stands here");
    }

    [Fact]
    public void NothingThere_IsSaid() =>
        Assert.Equal($"{At("none")}: no such file.", Assert.Throws<UserErrorException>(() => OrdinaryFile.ReadBytes(At("none"))).Message);

    [Fact]
    public void ANameWithNul_IsAnErrorOfTheUser()
    {
        File.WriteAllText(At("file"), "");
        Assert.Throws<UserErrorException>(() => OrdinaryFile.ReadBytes(At("file") + "\0x"));
    }

    private static void Refused(string path, string reason)
    {
        var error = Assert.Throws<UserErrorException>(() => OrdinaryFile.ReadBytes(path));
        Assert.Equal($"{path}: {reason}; an ordinary file is expected.", error.Message);
        Assert.Throws<UserErrorException>(() => OrdinaryFile.Open(path));
    }
}
