using System.Buffers;

namespace Handbook.Gguf.Format;

/// <summary>
/// Writes GGUF files of version 3 (github.com/ggml-org/ggml, docs/gguf.md): a header with keys and values and a list of tensors, then the
/// tensors one after another, each at a multiple of 32 bytes. A file appears whole or not at all.
/// </summary>
internal static class GgufFile
{
    private const uint Version = 3;
    private const int Alignment = 32;

    /// <summary>Writes a file; a tensor's elements are asked for when it is its turn.</summary>
    /// <param name="path">The file; replaced when it is there.</param>
    /// <param name="metadata">Keys and values.</param>
    /// <param name="tensors">What to write; names differ.</param>
    /// <exception cref="UserErrorException">An element is not finite, or no number of its type.</exception>
    public static void Write(string path, GgufMetadata metadata, IReadOnlyList<GgufTensor> tensors)
    {
        var header = Header(metadata, tensors);
        AtomicFile.Write(path, stream =>
        {
            stream.Write(header.WrittenSpan);
            using var writer = new ElementWriter(stream);
            foreach (var tensor in tensors)
            {
                writer.Write(tensor);
                stream.Write(new byte[Padding(tensor.ByteCount)]);
            }
        });
    }

    private static ArrayBufferWriter<byte> Header(GgufMetadata metadata, IReadOnlyList<GgufTensor> tensors)
    {
        var header = new ArrayBufferWriter<byte>();
        header.Write("GGUF"u8);
        GgufMetadata.Write(header, Version);
        GgufMetadata.Write(header, (ulong)tensors.Count);
        GgufMetadata.Write(header, (ulong)metadata.Count);
        header.Write(metadata.Bytes);
        var offset = 0L;
        foreach (var tensor in tensors)
        {
            GgufMetadata.Write(header, tensor.Name);
            GgufMetadata.Write(header, (uint)tensor.Shape.Length);
            foreach (var size in tensor.Shape.AsEnumerable().Reverse())
                GgufMetadata.Write(header, (ulong)size);
            GgufMetadata.Write(header, tensor.Type.Code);
            GgufMetadata.Write(header, (ulong)offset);
            offset += tensor.ByteCount + Padding(tensor.ByteCount);
        }
        header.Write(new byte[Padding(header.WrittenCount)]);
        return header;
    }

    private static long Padding(long length) => (Alignment - length % Alignment) % Alignment;
}
