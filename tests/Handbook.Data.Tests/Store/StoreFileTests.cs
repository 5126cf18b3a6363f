using System.Runtime.InteropServices;
using Handbook.Data.Store;

namespace Handbook.Data.Tests.Store;

public sealed class StoreFileTests : IDisposable
{
    private const int Large = 5_000_000;
    private readonly string path = Path.GetTempFileName();

    public void Dispose() => File.Delete(path);

    [Theory]
    [InlineData(0)]
    [InlineData(1000)]
    [InlineData(Large)]
    public void Values_AreThoseOfTheFile(int count)
    {
        Write(count);
        using var file = new StoreFile(path);
        Assert.Equal(count * sizeof(int), file.ByteCount);
        Assert.True(Enumerable.Range(0, count).ToArray().AsSpan().SequenceEqual(file.Values<int>(0, count)));
        if (count > 0)
            Assert.Equal([count - 2, count - 1], file.Values<int>((count - 2) * sizeof(int), 2).ToArray());
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Values<int>(sizeof(int), count).Length);
    }

    [Fact]
    public void ALargeFileCutShort_IsAnError()
    {
        Write(Large);
        using var file = new StoreFile(path);
        using (var other = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            other.SetLength(1000);
        Assert.Equal($"{path}: has become shorter while it was in use.",
            Assert.Throws<IOException>(() => file.Values<int>(0, 1000).Length).Message);
        Assert.Equal(7, file.Values<int>(7 * sizeof(int), 1)[0]);
    }

    [Fact]
    public void ASmallFileCutShort_IsHeld()
    {
        Write(1000);
        using var file = new StoreFile(path);
        using (var other = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            other.SetLength(0);
        Assert.Equal(999, file.Values<int>(999 * sizeof(int), 1)[0]);
    }

    private void Write(int count) => File.WriteAllBytes(path, MemoryMarshal.AsBytes<int>(Enumerable.Range(0, count).ToArray()).ToArray());
}
