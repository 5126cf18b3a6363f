using Handbook.Torch;

namespace Handbook.Gguf.Format;

/// <summary>
/// Writes the elements of tensors in slices of a few megabytes: what a tensor takes in another type, or packed, is never in memory whole.
/// </summary>
internal sealed unsafe class ElementWriter(Stream stream) : IDisposable
{
    // A multiple of every block length, so that a slice ends where a block does.
    private const long SliceLength = 1 << 20;
    private const int BlocksAtOnce = 64;
    private readonly Tensor packed = Tensor.Empty([2 * SliceLength], DType.UInt8);

    /// <summary>Writes a tensor.</summary>
    /// <exception cref="UserErrorException">An element is not finite, or no number of its type.</exception>
    public void Write(GgufTensor tensor)
    {
        var written = 0L;
        foreach (var part in tensor.Parts())
        {
            using (part)
            {
                written += part.ElementCount;
                WritePart(tensor, part);
            }
        }
        if (written != tensor.ElementCount)
            throw new InvalidOperationException($"{tensor.Name} has {tensor.ElementCount} elements, {written} were given.");
    }

    /// <summary>Frees the buffer.</summary>
    public void Dispose() => packed.Dispose();

    private void WritePart(GgufTensor tensor, Tensor part)
    {
        using var scope = new TensorScope();
        var elements = part.Reshape(-1);
        for (var start = 0L; start < elements.ElementCount; start += SliceLength)
        {
            using var pass = new TensorScope();
            var slice = elements.Narrow(0, start, Math.Min(SliceLength, elements.ElementCount - start)).To(tensor.Type.DType).Contiguous();
            if (!slice.AllFinite())
                throw NotFinite(tensor);
            Write(tensor.Type, slice);
        }
    }

    private void Write(TensorType type, Tensor slice)
    {
        if (type.Encoder is not { } encoder)
        {
            stream.Write(new ReadOnlySpan<byte>(slice.Pointer, (int)slice.ByteCount));
            return;
        }
        var (source, target) = ((nint)slice.Pointer, (nint)packed.Pointer);
        ParallelWork.For(slice.ElementCount / encoder.Length, BlocksAtOnce, (first, last) =>
        {
            for (var block = first; block < last; block++)
            {
                encoder.Encode(
                    new ReadOnlySpan<float>((float*)source + block * encoder.Length, encoder.Length),
                    new Span<byte>((byte*)target + block * encoder.Bytes, encoder.Bytes));
            }
        });
        stream.Write(new ReadOnlySpan<byte>(packed.Pointer, (int)type.ByteCount(slice.ElementCount)));
    }

    private static UserErrorException NotFinite(GgufTensor tensor) => new(tensor.Type == TensorType.F16
        ? $"tensor {tensor.Name}: an element is not finite, or beyond 65504, the largest number of f16; --type bf16 holds larger ones."
        : $"tensor {tensor.Name}: an element is not finite (NaN or infinity): the model is broken.");
}
