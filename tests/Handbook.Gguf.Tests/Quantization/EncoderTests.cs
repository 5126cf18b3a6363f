using CsCheck;
using Handbook.Gguf.Format;

namespace Handbook.Gguf.Tests.Quantization;

/// <summary>What is packed comes back within half a step of its block, by the decoding that ggml documents.</summary>
public sealed class EncoderTests
{
    // Half a step of the codes, as a share of the largest magnitude of a block (of the range, where there is a minimum), and what
    // rounding scales to float16 or to few bits adds.
    private static readonly Dictionary<string, double> Bounds = new()
    {
        ["q8_0"] = 0.5 / 127 + 1e-3, ["q4_0"] = 1.0 / 8 + 1e-3, ["q5_0"] = 1.0 / 16 + 1e-3, ["q4_k"] = 0.5 / 15 * 2 + 0.05,
        ["q6_k"] = 0.5 / 31 + 0.04,
    };

    public static TheoryData<string> Types() => [.. Bounds.Keys];

    [Theory]
    [MemberData(nameof(Types))]
    public void Decoded_Block_IsNear(string name)
    {
        var type = new[] { TensorType.Q8, TensorType.Q4, TensorType.Q5, TensorType.Q4K, TensorType.Q6K }.First(one => one.Name == name);
        var encoder = type.Encoder!;
        Gen.Select(Gen.Float[-1, 1].Array[encoder.Length], Gen.Float[1e-3f, 1e3f]).Sample((shares, scale) =>
        {
            var block = Array.ConvertAll(shares, share => share * scale);
            var packed = new byte[encoder.Bytes];
            encoder.Encode(block, packed);
            var decoded = Decoder.Decode(name, packed);
            var largest = block.Max(MathF.Abs);
            var error = block.Zip(decoded, (x, y) => Math.Abs(x - y)).Max();
            Assert.True(error <= Bounds[name] * largest, $"{error} of {largest}");
        }, iter: 200, seed: "0000000000000000");
    }
}
