using Handbook.Models.Safetensors;
using Handbook.Torch;

namespace Handbook.Models.Weights;

/// <summary>
/// Experts that a folder holds in MXFP4 (OCP Microscaling Formats 1.0): 32 elements of a row share a power of two, and each is one of
/// sixteen values. Two tensors of bytes, <c>NAME_blocks</c> [experts, outputs, blocks, 16], the earlier element in the lower half of a
/// byte, and <c>NAME_scales</c> [experts, outputs, blocks], exponents from 127.
/// </summary>
public static unsafe class MicroscaledWeights
{
    private const int BlockLength = 32;
    private const int Bias = 127;
    private static readonly float[] Values = [0, 0.5f, 1, 1.5f, 2, 3, 4, 6, -0f, -0.5f, -1, -1.5f, -2, -3, -4, -6];

    /// <summary>Names of the two tensors.</summary>
    internal static (string Blocks, string Scales) Names(string name) => (name + "_blocks", name + "_scales");

    /// <summary>Whether a folder holds a weight so.</summary>
    public static bool Holds(SafetensorsFolder folder, string name) =>
        folder.Contains(Names(name).Blocks) && folder.Contains(Names(name).Scales);

    /// <summary>What is wrong with the two tensors for a weight [experts, outputs, inputs]; null for nothing.</summary>
    internal static string? Fault(SafetensorsFolder folder, string name, ReadOnlySpan<long> shape)
    {
        var (blocks, scales) = Names(name);
        var count = shape[2] / BlockLength;
        if (shape[2] % BlockLength != 0)
            return $"{folder.FileOf(blocks)}: tensor {blocks} holds whole blocks of {BlockLength}, the configuration needs {shape[2]}.";
        return FaultOf(folder, scales, [shape[0], shape[1], count])
            ?? FaultOf(folder, blocks, [shape[0], shape[1], count, BlockLength / 2]);
    }

    /// <summary>The weight [experts, outputs, inputs], one expert after the other so that no second copy of all is held.</summary>
    public static Tensor Read(SafetensorsFolder folder, string name, ReadOnlySpan<long> shape, DType dtype)
    {
        using var scope = new TensorScope();
        var (blocks, scales) = (folder.Get(Names(name).Blocks), folder.Get(Names(name).Scales));
        var weight = Tensor.Empty(shape, dtype);
        var perExpert = shape[1] * shape[2];
        for (var expert = 0L; expert < shape[0]; expert++)
        {
            using var one = Tensor.Empty(shape[1..], DType.Float32);
            Unpack((byte*)blocks.Pointer + expert * perExpert / 2, (byte*)scales.Pointer + expert * perExpert / BlockLength,
                (float*)one.Pointer, perExpert / BlockLength);
            using var place = weight.Select(0, expert);
            place.CopyFrom(one);
        }
        return scope.Keep(weight);
    }

    private static void Unpack(byte* codes, byte* scales, float* target, long blocks) =>
        ParallelWork.For(blocks, 1 << 10, (begin, end) =>
        {
            for (var block = begin; block < end; block++)
            {
                var scale = MathF.ScaleB(1, scales[block] - Bias);
                for (var i = 0; i < BlockLength; i += 2)
                {
                    var pair = codes[(block * BlockLength + i) / 2];
                    target[block * BlockLength + i] = Values[pair & 15] * scale;
                    target[block * BlockLength + i + 1] = Values[pair >> 4] * scale;
                }
            }
        });

    private static string? FaultOf(SafetensorsFolder folder, string name, long[] expected)
    {
        var entry = folder.Entry(name);
        return entry.DTypeName == "U8" && expected.AsSpan().SequenceEqual(entry.Shape) ? null
            : $"{folder.FileOf(name)}: tensor {name} is {entry.DTypeName} {entry.ShapeText}, the configuration needs U8 "
                + $"[{string.Join(", ", expected)}].";
    }
}
