using System.IO.MemoryMappedFiles;

namespace Handbook.Data.Store;

/// <summary>A file mapped read-only; any number of processes share its pages.</summary>
internal sealed unsafe class MappedFile : IDisposable
{
    private readonly MemoryMappedFile? file;
    private readonly MemoryMappedViewAccessor? view;
    private readonly byte* start;

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

    /// <summary>Length of the file.</summary>
    public long ByteCount { get; }

    /// <summary>Values at an index counted in values.</summary>
    /// <exception cref="ArgumentOutOfRangeException">They reach beyond the file.</exception>
    public ReadOnlySpan<T> Values<T>(long byteOffset, int count)
        where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfNegative(byteOffset);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(byteOffset + (long)count * sizeof(T), ByteCount);
        return new ReadOnlySpan<T>(start + byteOffset, count);
    }

    public void Dispose()
    {
        view?.SafeMemoryMappedViewHandle.ReleasePointer();
        view?.Dispose();
        file?.Dispose();
    }
}
