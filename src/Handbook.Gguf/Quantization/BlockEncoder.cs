namespace Handbook.Gguf.Quantization;

/// <summary>
/// A type that packs rows in blocks of elements with scales of their own. The formulas are those of ggml's reference quantisation, so
/// that a file is, byte for byte, what llama.cpp makes of the same weights without an importance matrix.
/// </summary>
internal abstract class BlockEncoder
{
    /// <summary>Elements of a block; a row's length is a multiple.</summary>
    public abstract int Length { get; }

    /// <summary>Bytes of a packed block.</summary>
    public abstract int Bytes { get; }

    /// <summary>Packs one block.</summary>
    /// <param name="block"><see cref="Length"/> finite elements.</param>
    /// <param name="packed"><see cref="Bytes"/> bytes, every one of which is written.</param>
    public abstract void Encode(ReadOnlySpan<float> block, Span<byte> packed);
}
