using Handbook.Torch;
using Microsoft.Win32.SafeHandles;

namespace Handbook.Models.Safetensors;

/// <summary>
/// A safetensors file that is open for reading. A tensor is read when it is asked for, by all threads, into memory of its own. It
/// is not mapped: a mapped file that somebody cuts short ends the process with SIGBUS and without a word, and what is trained has
/// to be copied anyway.
/// </summary>
public sealed unsafe class SafetensorsFile : IDisposable
{
    private const long PieceBytes = 8L << 20;
    private readonly SafeFileHandle handle;

    /// <summary>Opens a file and checks its header.</summary>
    /// <exception cref="UserErrorException">Missing, unreadable, or not a well-formed safetensors file.</exception>
    public SafetensorsFile(string path)
    {
        Path = path;
        using (var stream = OrdinaryFile.Open(path))
            Header = ReadHeader(path, stream);
        handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>What the file holds.</summary>
    public SafetensorsHeader Header { get; }

    /// <summary>A tensor, in memory of its own if nothing else is asked for.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="room">Makes a row-major tensor of a shape to read into; null takes memory of its own.</param>
    /// <exception cref="UserErrorException">No such tensor, or an element type that is not supported.</exception>
    /// <exception cref="IOException">The file has become shorter since it was opened, or the disk fails.</exception>
    public Tensor Get(string name, Func<long[], DType, Tensor>? room = null)
    {
        if (!Header.Tensors.TryGetValue(name, out var entry))
            throw new UserErrorException(
                $"{Path}: has no tensor {SafetensorsHeader.Quote(name)}.{NearestName.Hint(name, Header.Tensors.Keys)}");
        var dtype = ElementTypes.DTypeOf(entry.DTypeName)
            ?? throw new UserErrorException(
                $"{Path}: tensor {SafetensorsHeader.Quote(name)} is {entry.DTypeName}, which is not supported. Save it as BF16, F16 or "
                    + "F32.");
        var tensor = room is null ? Tensor.Empty(entry.Shape, dtype) : room(entry.Shape, dtype);
        try
        {
            var target = (byte*)tensor.Pointer;
            var count = entry.End - entry.Begin;
            Parallel.For(0, (int)((count + PieceBytes - 1) / PieceBytes), piece =>
            {
                var start = piece * PieceBytes;
                Read(Header.DataStart + entry.Begin + start, new Span<byte>(target + start, (int)Math.Min(PieceBytes, count - start)));
            });
            return tensor;
        }
        catch (AggregateException error) when (error.InnerExceptions[0] is IOException reason)
        {
            tensor.Dispose();
            throw new IOException(reason.Message, error);
        }
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => handle.Dispose();

    private void Read(long offset, Span<byte> target)
    {
        while (target.Length > 0)
        {
            var count = RandomAccess.Read(handle, target, offset);
            if (count == 0)
                throw new IOException($"{Path}: has become shorter while it was read.");
            target = target[count..];
            offset += count;
        }
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
