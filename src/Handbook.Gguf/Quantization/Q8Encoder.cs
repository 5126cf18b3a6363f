using System.Buffers.Binary;

namespace Handbook.Gguf.Quantization;

/// <summary>Q8_0: 32 elements in 34 bytes, x = d q with q from -127 to 127 and d = max|x| / 127 in float16.</summary>
internal sealed class Q8Encoder : BlockEncoder
{
    /// <inheritdoc/>
    public override int Length => 32;

    /// <inheritdoc/>
    public override int Bytes => 2 + 32;

    /// <inheritdoc/>
    public override void Encode(ReadOnlySpan<float> block, Span<byte> packed)
    {
        var largest = 0f;
        foreach (var x in block)
            largest = MathF.Max(largest, MathF.Abs(x));
        var scale = largest / 127;
        var inverse = scale != 0 ? 1 / scale : 0;
        BinaryPrimitives.WriteHalfLittleEndian(packed, (Half)scale);
        for (var i = 0; i < block.Length; i++)
            packed[2 + i] = (byte)(sbyte)MathF.Round(block[i] * inverse, MidpointRounding.AwayFromZero);
    }
}
