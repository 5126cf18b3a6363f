using System.Buffers.Binary;

namespace Handbook.Gguf.Quantization;

/// <summary>
/// Q6_K: 256 elements in 210 bytes, sixteen groups of 16 with x = d s (q - 32), where q has six bits, s (of a group) is a signed byte
/// and d (of the block) float16.
/// </summary>
internal sealed class Q6KEncoder : BlockEncoder
{
    private const int Group = 16;
    private const int Groups = 16;
    private const int Half = 32;
    private const int HighAt = 128;
    private const int ScalesAt = 192;

    /// <inheritdoc/>
    public override int Length => Groups * Group;

    /// <inheritdoc/>
    public override int Bytes => ScalesAt + Groups + 2;

    /// <inheritdoc/>
    public override void Encode(ReadOnlySpan<float> block, Span<byte> packed)
    {
        Span<byte> codes = stackalloc byte[Groups * Group];
        Span<float> scales = stackalloc float[Groups];
        var furthest = 0f;
        for (var g = 0; g < Groups; g++)
        {
            var range = (g * Group)..((g + 1) * Group);
            scales[g] = ScaleFit.Of(block[range], Half, codes[range]);
            if (MathF.Abs(scales[g]) > MathF.Abs(furthest))
                furthest = scales[g];
        }
        packed.Clear();
        if (MathF.Abs(furthest) < ScaleFit.Nothing)
            return;
        var inverse = -128 / furthest;
        var unit = (System.Half)(1 / inverse);
        BinaryPrimitives.WriteHalfLittleEndian(packed[(ScalesAt + Groups)..], unit);
        for (var g = 0; g < Groups; g++)
        {
            var scale = (sbyte)Math.Min(127, Rounded.Even(inverse * scales[g]));
            packed[ScalesAt + g] = (byte)scale;
            // Codes for the scale that the file holds; a group whose scale became 0 keeps those of its own fit.
            var d = (float)unit * scale;
            for (var i = g * Group; d != 0 && i < (g + 1) * Group; i++)
                codes[i] = (byte)(Math.Clamp(Rounded.Even(block[i] / d), -Half, Half - 1) + Half);
        }
        PackCodes(codes, packed);
    }

    /// <summary>
    /// In each half of 128: the low four bits of elements i and i + 64 share a byte, the high two bits of i, i + 32, i + 64 and i + 96
    /// another.
    /// </summary>
    private static void PackCodes(ReadOnlySpan<byte> codes, Span<byte> packed)
    {
        for (var half = 0; half < 2; half++)
        {
            var q = codes[(half * 128)..];
            var low = packed[(half * 64)..];
            var high = packed[(HighAt + half * 32)..];
            for (var i = 0; i < 64; i++)
                low[i] = (byte)((q[i] & 15) | ((q[i + 64] & 15) << 4));
            for (var i = 0; i < 32; i++)
                high[i] = (byte)((q[i] >> 4) | (q[i + 32] >> 4 << 2) | (q[i + 64] >> 4 << 4) | (q[i + 96] >> 4 << 6));
        }
    }
}
