using Handbook.TestSupport;

namespace Handbook.Foundation.Tests;

public sealed class FileLockTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("handbook-lock-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string At(string name) => Path.Combine(folder, name);

    [Fact]
    public void OneHoldsIt_AndTheOtherHearsWho()
    {
        Assert.True(FileLock.TryTake(At("lock"), out var held, out _));
        Assert.False(FileLock.TryTake(At("lock"), out _, out var holder));
        Assert.StartsWith($"process {Environment.ProcessId} (handbook", holder, StringComparison.Ordinal);
        held.Dispose();
        Assert.False(File.Exists(At("lock")));
        Assert.True(FileLock.TryTake(At("lock"), out held, out _));
        held.Dispose();
    }

    [Fact]
    public void Waiting_IsSaidOnce_AndEndsWithTheHolder()
    {
        Assert.True(FileLock.TryTake(At("lock"), out var held, out _));
        var heard = new List<string>();
        using var second = FileLock.Take(At("lock"), CancellationToken.None, holder =>
        {
            heard.Add(holder);
            held.Dispose();
        });
        Assert.Single(heard);
        Assert.True(File.Exists(At("lock")));
    }

    [Fact]
    public void WhatAKilledHolderLeft_IsTakenOver()
    {
        File.WriteAllText(At("lock"), "handbook lock\n1\nhandbook sft\n");
        Assert.True(FileLock.TryTake(At("lock"), out var held, out _));
        held.Dispose();
    }

    // Whoever opened the file before its holder removed it has locked a file that nobody else finds.
    [Fact]
    public void ManyAtOnce_OneAtATime()
    {
        var inside = 0;
        var most = 0;
        Parallel.For(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 8 }, turn =>
        {
            if (!FileLock.TryTake(At("lock"), out var held, out _))
                return;
            InterlockedMax(ref most, Interlocked.Increment(ref inside));
            Interlocked.Decrement(ref inside);
            held.Dispose();
        });
        Assert.Equal(1, most);
    }

    [Fact]
    public void WhatCannotBeHeld_IsAnErrorAtOnce()
    {
        var error = Assert.Throws<UserErrorException>(() => FileLock.Take(At("none/lock"), CancellationToken.None,
            _ => Assert.Fail("nobody holds it")));
        Assert.StartsWith($"{At("none/lock")}: the lock cannot be taken: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AStrangersFile_IsNotWrittenOver()
    {
        File.WriteAllText(At("mine"), "precious");
        Assert.Throws<UserErrorException>(() => FileLock.TryTake(At("mine"), out _, out _));
        File.CreateSymbolicLink(At("link"), At("new"));
        Assert.Contains("a link stands", Assert.Throws<UserErrorException>(() => FileLock.TryTake(At("link"), out _, out _)).Message,
            StringComparison.Ordinal);
        Assert.Contains("a named pipe stands",
            Assert.Throws<UserErrorException>(() => FileLock.TryTake(SpecialFiles.MakePipe(At("pipe")), out _, out _)).Message,
            StringComparison.Ordinal);
        Assert.Equal("precious", File.ReadAllText(At("mine")));
        Assert.False(File.Exists(At("new")));
    }

    private static void InterlockedMax(ref int target, int value)
    {
        for (var seen = Volatile.Read(ref target); value > seen;)
        {
            var before = Interlocked.CompareExchange(ref target, value, seen);
            if (before == seen)
                return;
            seen = before;
        }
    }
}
