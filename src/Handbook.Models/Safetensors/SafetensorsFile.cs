using System.IO.MemoryMappedFiles;
using Handbook.Torch;
using Microsoft.Win32.SafeHandles;

namespace Handbook.Models.Safetensors;

/// <summary>
/// A safetensors file mapped into memory. Tensors lie over the mapping: nothing is read before it is used, and what is
/// written into them stays in this process (the mapping is private).
/// </summary>
public sealed unsafe class SafetensorsFile : IDisposable
{
    private readonly MemoryMappedFile? mapping;
    private readonly MemoryMappedViewAccessor? view;
    private readonly SafeMemoryMappedViewHandle? handle;
    private readonly byte* data;

    /// <summary>Opens a file and checks its header.</summary>
    /// <exception cref="UserErrorException">Missing, unreadable, or not a well-formed safetensors file.</exception>
    public SafetensorsFile(string path)
    {
        Path = path;
        using var stream = OrdinaryFile.Open(path);
        Header = ReadHeader(path, stream);
        if (stream.Length == Header.DataStart)
            return;
        mapping = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.CopyOnWrite, HandleInheritability.None, leaveOpen: false);
        view = mapping.CreateViewAccessor(0, 0, MemoryMappedFileAccess.CopyOnWrite);
        handle = view.SafeMemoryMappedViewHandle;
        byte* start = null;
        handle.AcquirePointer(ref start);
        data = start + view.PointerOffset + Header.DataStart;
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>What the file holds.</summary>
    public SafetensorsHeader Header { get; }

    /// <summary>
    /// A tensor over the file's memory, valid until <see cref="Dispose"/>. One that lies at an address that its type cannot be
    /// read from is copied.
    /// </summary>
    /// <exception cref="UserErrorException">No such tensor, or an element type that is not supported.</exception>
    public Tensor Get(string name)
    {
        if (!Header.Tensors.TryGetValue(name, out var entry))
            throw new UserErrorException($"{Path}: has no tensor {SafetensorsHeader.Quote(name)}.{NearestName.Hint(name, Header.Tensors.Keys)}");
        var dtype = ElementTypes.DTypeOf(entry.DTypeName)
            ?? throw new UserErrorException($"{Path}: tensor {SafetensorsHeader.Quote(name)} is {entry.DTypeName}, which is not supported. Save it as BF16, F16 or F32.");
        if (entry.ElementCount == 0)
            return Tensor.Empty(entry.Shape, dtype);
        var address = data + entry.Begin;
        if ((nuint)address % (nuint)dtype.Size() == 0)
            return Tensor.OverMemory(address, entry.Shape, dtype);
        var copy = Tensor.Empty(entry.Shape, dtype);
        Buffer.MemoryCopy(address, copy.Pointer, copy.ByteCount, entry.End - entry.Begin);
        return copy;
    }

    /// <summary>Unmaps the file; tensors over it must not be used any more.</summary>
    public void Dispose()
    {
        handle?.ReleasePointer();
        view?.Dispose();
        mapping?.Dispose();
    }

    private static SafetensorsHeader ReadHeader(string path, FileStream stream)
    {
        try
        {
            return SafetensorsHeader.Read(path, stream, stream.Length);
        }
        catch (UserErrorException broken) when (PlaceholderFile.ExplainBinary(path) is { } placeholder)
        {
            throw new UserErrorException($"{path}: {placeholder}", broken);
        }
    }
}
