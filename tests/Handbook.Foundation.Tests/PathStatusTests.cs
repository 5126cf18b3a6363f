namespace Handbook.Foundation.Tests;

public sealed class PathStatusTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("handbook-status-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void IdentityIsTheFiles_NotTheNames()
    {
        var (one, two, link) = (Path.Combine(folder, "one"), Path.Combine(folder, "two"), Path.Combine(folder, "link"));
        File.WriteAllText(one, "");
        File.WriteAllText(two, "");
        File.CreateSymbolicLink(link, one);
        Assert.NotEqual(PathStatus.Of(one), PathStatus.Of(two));
        Assert.Equal(PathStatus.Of(one), PathStatus.Of(link));
        Assert.Equal(PathKind.Link, PathStatus.OfLink(link).Kind);
        using var stream = File.OpenRead(one);
        Assert.Equal(PathStatus.Of(one), PathStatus.Of(stream.SafeFileHandle));
        // The identity stays with the file when it is renamed, and each number is one of the system's own.
        File.Move(one, Path.Combine(folder, "three"));
        Assert.Equal(PathStatus.Of(stream.SafeFileHandle), PathStatus.Of(Path.Combine(folder, "three")));
        Assert.Equal(PathStatus.Of(folder).Device, PathStatus.Of(two).Device);
    }

    [Fact]
    public void NothingThere_IsNone() => Assert.Equal(PathKind.None, PathStatus.Of(Path.Combine(folder, "none")).Kind);
}
