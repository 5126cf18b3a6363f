using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Handbook.Data.Store;

/// <summary>
/// A file of a store, read by place: a small one is held whole, of a large one each piece is read when it is asked for. It is not
/// mapped, because a mapped file that somebody cuts short ends the process with SIGBUS in the middle of a step, without a word and
/// without a checkpoint; a read that comes back short is an error with a name. The pages are the system's, shared by all processes.
/// </summary>
public sealed class StoreFile : IDisposable
{
    private const long HeldWhole = 16L << 20;

    private readonly string path;
    private readonly SafeFileHandle handle;
    private readonly byte[]? content;

    /// <summary>Opens a file; an empty one too.</summary>
    /// <exception cref="UserErrorException">It is missing, may not be read, or is no ordinary file.</exception>
    public StoreFile(string path)
    {
        this.path = path;
        using (var stream = OrdinaryFile.Open(path, bufferSize: 0))
            ByteCount = stream.Length;
        handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.RandomAccess);
        if (ByteCount <= HeldWhole)
            content = Read(0, (int)ByteCount);
    }

    /// <summary>Length of the file in bytes.</summary>
    public long ByteCount { get; }

    /// <summary>Values from a place on.</summary>
    /// <param name="byteOffset">Place of the first value, in bytes.</param>
    /// <param name="count">Number of values.</param>
    /// <exception cref="ArgumentOutOfRangeException">They reach beyond the file.</exception>
    /// <exception cref="IOException">The file has become shorter since it was opened, or the disk fails.</exception>
    public ReadOnlySpan<T> Values<T>(long byteOffset, int count)
        where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfNegative(byteOffset);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        var size = Unsafe.SizeOf<T>();
        ArgumentOutOfRangeException.ThrowIfGreaterThan(byteOffset + (long)count * size, ByteCount);
        var bytes = content is not null ? content.AsSpan((int)byteOffset, count * size) : Read(byteOffset, checked(count * size));
        return MemoryMarshal.Cast<byte, T>(bytes);
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => handle.Dispose();

    private byte[] Read(long offset, int count)
    {
        var bytes = new byte[count];
        for (var done = 0; done < count;)
        {
            var read = RandomAccess.Read(handle, bytes.AsSpan(done), offset + done);
            if (read == 0)
                throw new IOException($"{path}: has become shorter while it was in use.");
            done += read;
        }
        return bytes;
    }
}
