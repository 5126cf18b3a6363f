using Handbook.Autograd.Quantization;
using Handbook.Models.Safetensors;
using Handbook.Torch;

namespace Handbook.Models.Weights;

/// <summary>
/// A quantised matrix as the tensors that bitsandbytes makes of it: packed codes under the weight's name, scales and tables under names
/// that begin with it, and the rest as JSON in a tensor of bytes; with 8 bits, row scales beside the weight.
/// </summary>
internal static class BitsandbytesTensors
{
    private const string State = ".quant_state.bitsandbytes__";
    private static readonly string[] Ends =
        [".absmax", ".quant_map", ".nested_absmax", ".nested_quant_map", State + "nf4", State + "fp4", ".SCB", ".weight_format"];

    /// <summary>True for the name of a tensor that stands beside some weight's codes.</summary>
    internal static bool IsBeside(string name) => Array.Exists(Ends, end => name.EndsWith(end, StringComparison.Ordinal));

    /// <summary>The names of the tensors that may stand beside a weight's codes.</summary>
    internal static IEnumerable<string> Beside(string weight) =>
        Ends.Select(end => end is ".SCB" or ".weight_format" ? Module(weight) + end : weight + end);

    /// <summary>True when a folder holds codes under a weight's name.</summary>
    internal static bool AreIn(SafetensorsFolder folder, string weight) =>
        folder.Contains(weight) && folder.Entry(weight).DTypeName is "U8" or "I8";

    /// <summary>Reads a matrix.</summary>
    /// <param name="folder">The files.</param>
    /// <param name="weight">The weight's name in them.</param>
    /// <param name="shape">[out, in], as the configuration asks for.</param>
    /// <exception cref="UserErrorException">Something is missing or does not fit together.</exception>
    internal static QuantizedMatrix Read(SafetensorsFolder folder, string weight, long[] shape)
    {
        using var scope = new TensorScope();
        return folder.Entry(weight).DTypeName == "I8" ? ReadRows(folder, weight, shape) : ReadBlocks(folder, weight, shape);
    }

    /// <summary>A matrix's tensors.</summary>
    /// <param name="weight">The weight's name.</param>
    /// <param name="matrix">Its codes.</param>
    internal static IEnumerable<NamedTensor> Of(string weight, QuantizedMatrix matrix)
    {
        yield return new NamedTensor(weight, matrix.Codes);
        if (matrix.Format.Bits == 8)
        {
            yield return new NamedTensor(Module(weight) + ".SCB", matrix.Scales.Values);
            yield return new NamedTensor(Module(weight) + ".weight_format", Tensor.From<byte>([0], []));
            yield break;
        }
        yield return new NamedTensor(weight + ".absmax", matrix.Scales.Values);
        yield return new NamedTensor(weight + ".quant_map", matrix.Table!);
        if (matrix.Scales.Nested is { } nested)
        {
            yield return new NamedTensor(weight + ".nested_absmax", nested.Scales);
            yield return new NamedTensor(weight + ".nested_quant_map", nested.Map);
        }
        yield return new NamedTensor(weight + State + matrix.Format.Name, Tensor.From(BitsandbytesState.Of(matrix).ToBytes()));
    }

    private static QuantizedMatrix ReadRows(SafetensorsFolder folder, string weight, long[] shape)
    {
        var codes = Get(folder, weight, DType.Int8, shape);
        var scales = Get(folder, Module(weight) + ".SCB", DType.Float32, [shape[0]]);
        var format = Module(weight) + ".weight_format";
        if (folder.Contains(format) && Get(folder, format, DType.UInt8, []).ToArray<byte>()[0] != 0)
            throw new UserErrorException($"{folder.FileOf(format)}: tensor {format} is not 0: only rows in their order are supported.");
        return new QuantizedMatrix(CodeFormat.Int8, shape, codes, new BlockScales(scales), shape[1]);
    }

    private static QuantizedMatrix ReadBlocks(SafetensorsFolder folder, string weight, long[] shape)
    {
        var format = new[] { CodeFormat.NormalFloat4, CodeFormat.Float4 }.FirstOrDefault(one => folder.Contains(weight + State + one.Name))
            ?? throw new UserErrorException($"{folder.FileOf(weight)}: tensor {weight} holds bytes, and {weight}{State}nf4 that says which "
                + "numbers they are is missing.");
        var state = BitsandbytesState.Read(folder, weight + State + format.Name);
        if (!state.Shape.AsSpan().SequenceEqual(shape))
            throw new UserErrorException($"{folder.FileOf(weight)}: tensor {weight} is [{string.Join(", ", state.Shape)}], the "
                + $"configuration needs [{string.Join(", ", shape)}].");
        var count = shape[0] * shape[1];
        var blocks = (count + state.BlockSize - 1) / state.BlockSize;
        NestedScales? nested = null;
        if (state.Offset is { } offset)
        {
            var groups = Get(folder, weight + ".nested_absmax", DType.Float32, [(blocks + state.GroupSize - 1) / state.GroupSize]);
            var map = Get(folder, weight + ".nested_quant_map", DType.Float32, [256]);
            nested = new NestedScales(TensorScope.Detach(groups), TensorScope.Detach(map), offset, (int)state.GroupSize);
        }
        var absmax = Get(folder, weight + ".absmax", nested is null ? DType.Float32 : DType.UInt8, [blocks]);
        var codes = Get(folder, weight, DType.UInt8, folder.Entry(weight).Shape is [_] ? [(count + 1) / 2] : [(count + 1) / 2, 1]);
        var table = Get(folder, weight + ".quant_map", DType.Float32, [16]);
        return new QuantizedMatrix(format, shape, codes, new BlockScales(absmax, nested), state.BlockSize, table)
        {
            SourceDType = state.DType,
        };
    }

    private static Tensor Get(SafetensorsFolder folder, string name, DType dtype, long[] shape)
    {
        if (!folder.Contains(name))
            throw new UserErrorException($"{folder.Folder}: tensor {name} [{string.Join(", ", shape)}] is missing.");
        var entry = folder.Entry(name);
        if (ElementTypes.DTypeOf(entry.DTypeName) != dtype || !shape.AsSpan().SequenceEqual(entry.Shape))
            throw new UserErrorException($"{folder.FileOf(name)}: tensor {name} is {entry.DTypeName} {entry.ShapeText}, "
                + $"{ElementTypes.NameOf(dtype)} [{string.Join(", ", shape)}] is expected.");
        return folder.Get(name);
    }

    private static string Module(string weight) => weight[..weight.LastIndexOf('.')];
}
