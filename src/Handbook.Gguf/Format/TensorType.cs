using Handbook.Gguf.Quantization;
using Handbook.Torch;

namespace Handbook.Gguf.Format;

/// <summary>How a GGUF file holds the elements of a tensor. Codes and layouts are ggml's (<c>ggml_type</c>).</summary>
internal sealed class TensorType
{
    private TensorType(string name, uint code, DType dtype)
    {
        (Name, Code, DType) = (name, code, dtype);
        BlockBytes = dtype.Size();
    }

    private TensorType(string name, uint code, BlockEncoder encoder)
    {
        (Name, Code, DType, Encoder) = (name, code, DType.Float32, encoder);
        (BlockLength, BlockBytes) = (encoder.Length, encoder.Bytes);
    }

    /// <summary>float32.</summary>
    public static TensorType F32 { get; } = new("f32", 0, DType.Float32);

    /// <summary>float16.</summary>
    public static TensorType F16 { get; } = new("f16", 1, DType.Float16);

    /// <summary>bfloat16.</summary>
    public static TensorType BF16 { get; } = new("bf16", 30, DType.BFloat16);

    /// <summary>Eight bits, 8.5 an element.</summary>
    public static TensorType Q8 { get; } = new("q8_0", 8, new Q8Encoder());

    /// <summary>Four bits, 4.5 an element.</summary>
    public static TensorType Q4 { get; } = new("q4_0", 2, new SignedNibbleEncoder(bits: 4));

    /// <summary>Five bits, 5.5 an element.</summary>
    public static TensorType Q5 { get; } = new("q5_0", 6, new SignedNibbleEncoder(bits: 5));

    /// <summary>Four bits in blocks of 256, 4.5 an element.</summary>
    public static TensorType Q4K { get; } = new("q4_k", 12, new Q4KEncoder());

    /// <summary>Six bits in blocks of 256, 6.5625 an element.</summary>
    public static TensorType Q6K { get; } = new("q6_k", 14, new Q6KEncoder());

    /// <summary>The name that users type, in ggml's spelling.</summary>
    public string Name { get; }

    /// <summary>ggml's number.</summary>
    public uint Code { get; }

    /// <summary>What is stored, or what is packed.</summary>
    public DType DType { get; }

    /// <summary>Packs blocks; null for a plain type.</summary>
    public BlockEncoder? Encoder { get; }

    /// <summary>Elements of a block; 1 for a plain type.</summary>
    public int BlockLength { get; } = 1;

    /// <summary>Bytes of a block.</summary>
    public int BlockBytes { get; }

    /// <summary>Bytes of so many elements, a whole number of blocks.</summary>
    public long ByteCount(long elements) => elements / BlockLength * BlockBytes;
}
