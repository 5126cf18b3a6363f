namespace Handbook.Gguf.Tests.Quantization;

/// <summary>Packed blocks back to numbers, from the layouts in ggml's documentation and independent of the encoders.</summary>
internal static class Decoder
{
    public static float[] Decode(string type, ReadOnlySpan<byte> block) => type switch
    {
        "q8_0" => Q8(block),
        "q4_0" => Nibbles(block, 2, 0, 8),
        "q5_0" => Nibbles(block, 6, BitConverter.ToUInt32(block[2..]), 16),
        "q4_k" => Q4K(block),
        "q6_k" => Q6K(block),
        _ => throw new ArgumentException(type, nameof(type)),
    };

    private static float Number(ReadOnlySpan<byte> bytes) => (float)BitConverter.ToHalf(bytes);

    private static float[] Q8(ReadOnlySpan<byte> block)
    {
        var x = new float[32];
        for (var i = 0; i < 32; i++)
            x[i] = Number(block) * (sbyte)block[2 + i];
        return x;
    }

    private static float[] Nibbles(ReadOnlySpan<byte> block, int at, uint high, int middle)
    {
        var x = new float[32];
        for (var i = 0; i < 32; i++)
        {
            var low = i < 16 ? block[at + i] & 15 : block[at + i - 16] >> 4;
            x[i] = Number(block) * (low + (int)((high >> i) & 1) * 16 - middle);
        }
        return x;
    }

    private static float[] Q4K(ReadOnlySpan<byte> block)
    {
        var x = new float[256];
        for (var i = 0; i < 256; i++)
        {
            var (group, scales) = (i / 32, block[4..16].ToArray());
            var scale = group < 4 ? scales[group] & 63 : (scales[group + 4] & 15) | (scales[group - 4] >> 6 << 4);
            var minimum = group < 4 ? scales[group + 4] & 63 : (scales[group + 4] >> 4) | (scales[group] >> 6 << 4);
            var pair = block[16 + group / 2 * 32 + i % 32];
            x[i] = Number(block) * scale * (group % 2 == 0 ? pair & 15 : pair >> 4) - Number(block[2..]) * minimum;
        }
        return x;
    }

    private static float[] Q6K(ReadOnlySpan<byte> block)
    {
        var x = new float[256];
        for (var i = 0; i < 256; i++)
        {
            var (half, quarter, place) = (i / 128, i % 128 / 32, i % 32);
            var low = block[half * 64 + quarter % 2 * 32 + place];
            var high = block[128 + half * 32 + place] >> (2 * quarter) & 3;
            var code = (quarter < 2 ? low & 15 : low >> 4) | (high << 4);
            x[i] = Number(block[208..]) * (sbyte)block[192 + i / 16] * (code - 32);
        }
        return x;
    }
}
