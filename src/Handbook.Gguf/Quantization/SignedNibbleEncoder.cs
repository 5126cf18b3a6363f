using System.Buffers.Binary;

namespace Handbook.Gguf.Quantization;

/// <summary>
/// Q4_0 and Q5_0: 32 elements, x = d (q - 2^(bits - 1)), where d makes the element of the largest magnitude exactly -2^(bits - 1) d. The
/// low four bits of elements i and i + 16 share a byte; the fifth bits of Q5_0 stand in front of them.
/// </summary>
internal sealed class SignedNibbleEncoder(int bits) : BlockEncoder
{
    private const int Half = 16;

    /// <inheritdoc/>
    public override int Length => 2 * Half;

    /// <inheritdoc/>
    public override int Bytes => 2 + (bits == 5 ? 4 : 0) + Half;

    /// <inheritdoc/>
    public override void Encode(ReadOnlySpan<float> block, Span<byte> packed)
    {
        var furthest = 0f;
        foreach (var x in block)
        {
            if (MathF.Abs(x) > MathF.Abs(furthest))
                furthest = x;
        }
        var middle = 1 << (bits - 1);
        var scale = furthest / -middle;
        var inverse = scale != 0 ? 1 / scale : 0;
        BinaryPrimitives.WriteHalfLittleEndian(packed, (System.Half)scale);
        var low = packed[(Bytes - Half)..];
        var high = 0u;
        for (var i = 0; i < Half; i++)
        {
            var (first, second) = (Code(block[i] * inverse, middle), Code(block[i + Half] * inverse, middle));
            low[i] = (byte)((first & 15) | ((second & 15) << 4));
            high |= (first >> 4 << i) | (second >> 4 << (i + Half));
        }
        if (bits == 5)
            BinaryPrimitives.WriteUInt32LittleEndian(packed[2..], high);
    }

    private static uint Code(float scaled, int middle) => (uint)Math.Min(2 * middle - 1, (int)(scaled + (middle + 0.5f)));
}
