using System.Buffers.Binary;

namespace Handbook.Gguf.Quantization;

/// <summary>
/// Q4_K: 256 elements in 144 bytes, eight groups of 32 with x = d s q - m t, where q has four bits, s and t (scale and minimum of a
/// group) six, and d and m (of the block) are float16.
/// </summary>
internal sealed class Q4KEncoder : BlockEncoder
{
    private const int Group = 32;
    private const int Groups = 8;
    private const int LargestCode = 15;
    private const int LargestScale = 63;
    private const int ScalesAt = 4;
    private const int CodesAt = 16;

    /// <inheritdoc/>
    public override int Length => Groups * Group;

    /// <inheritdoc/>
    public override int Bytes => CodesAt + Length / 2;

    /// <inheritdoc/>
    public override void Encode(ReadOnlySpan<float> block, Span<byte> packed)
    {
        Span<byte> codes = stackalloc byte[Groups * Group];
        Span<float> scales = stackalloc float[Groups];
        Span<float> minima = stackalloc float[Groups];
        for (var g = 0; g < Groups; g++)
        {
            var range = (g * Group)..((g + 1) * Group);
            (scales[g], minima[g]) = AffineFit.Of(block[range], LargestCode, codes[range]);
        }
        var (scale, scaleCodes) = SixBits(scales);
        var (minimum, minimumCodes) = SixBits(minima);
        BinaryPrimitives.WriteHalfLittleEndian(packed, scale);
        BinaryPrimitives.WriteHalfLittleEndian(packed[2..], minimum);
        PackScales(scaleCodes, minimumCodes, packed[ScalesAt..CodesAt]);
        for (var g = 0; g < Groups; g++)
        {
            // Codes for the scales that the file holds; a group whose scale became 0 keeps those of its own fit.
            var (d, m) = ((float)scale * scaleCodes[g], (float)minimum * minimumCodes[g]);
            for (var i = g * Group; d != 0 && i < (g + 1) * Group; i++)
                codes[i] = (byte)Math.Clamp(Rounded.Even((block[i] + m) / d), 0, LargestCode);
        }
        for (var i = 0; i < Length / 2; i++)
        {
            var at = i / Group * 2 * Group + i % Group;
            packed[CodesAt + i] = (byte)(codes[at] | (codes[at + Group] << 4));
        }
    }

    private static (Half Unit, byte[] Codes) SixBits(ReadOnlySpan<float> values)
    {
        var largest = 0f;
        foreach (var value in values)
            largest = value > largest ? value : largest;
        var inverse = largest > 0 ? LargestScale / largest : 0;
        var codes = new byte[values.Length];
        for (var i = 0; i < codes.Length; i++)
            codes[i] = (byte)Math.Min(LargestScale, Rounded.Even(inverse * values[i]));
        return ((Half)(largest / LargestScale), codes);
    }

    /// <summary>Eight pairs of six bits in twelve bytes: the upper two bits of the last four pairs stand above the first four.</summary>
    private static void PackScales(ReadOnlySpan<byte> scales, ReadOnlySpan<byte> minima, Span<byte> packed)
    {
        for (var g = 0; g < 4; g++)
        {
            packed[g] = (byte)(scales[g] | (scales[g + 4] >> 4 << 6));
            packed[g + 4] = (byte)(minima[g] | (minima[g + 4] >> 4 << 6));
            packed[g + 8] = (byte)((scales[g + 4] & 15) | ((minima[g + 4] & 15) << 4));
        }
    }
}
