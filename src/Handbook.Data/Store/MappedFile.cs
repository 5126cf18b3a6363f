using System.IO.MemoryMappedFiles;

namespace Handbook.Data.Store;

/// <summary>A file mapped read-only; any number of processes share its pages.</summary>
public sealed unsafe class MappedFile : IDisposable
{
    private readonly MemoryMappedFile? file;
    private readonly MemoryMappedViewAccessor? view;
    private readonly byte* start;

    /// <summary>Maps a file; an empty one too.</summary>
    public MappedFile(string path)
    {
        ByteCount = new FileInfo(path).Length;
        if (ByteCount == 0)
            return;
        file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        view = file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        start += view.PointerOffset;
    }

    /// <summary>Length of the file in bytes.</summary>
    public long ByteCount { get; }

    /// <summary>Values from a place on.</summary>
    /// <param name="byteOffset">Place of the first value, in bytes.</param>
    /// <param name="count">Number of values.</param>
    /// <exception cref="ArgumentOutOfRangeException">They reach beyond the file.</exception>
    public ReadOnlySpan<T> Values<T>(long byteOffset, int count)
        where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfNegative(byteOffset);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(byteOffset + (long)count * sizeof(T), ByteCount);
        return new ReadOnlySpan<T>(start + byteOffset, count);
    }

    /// <summary>Unmaps the file; spans over it must be gone.</summary>
    public void Dispose()
    {
        view?.SafeMemoryMappedViewHandle.ReleasePointer();
        view?.Dispose();
        file?.Dispose();
    }
}
