namespace Handbook.Torch;

/// <summary>
/// Shapes of results on <see cref="DeviceKind.Meta"/> for operators whose shape function libtorch has in Python only.
/// </summary>
internal static class MetaShapes
{
    private static readonly Dictionary<string, Func<Value[], long[]>> Rows = new(StringComparer.Ordinal)
    {
        ["aten::_grouped_mm"] = call => call[1].AsTensor()!.DimensionCount == 3
            ? [Shape(call[0])[0], Shape(call[1])[2]]
            : [call[2].AsTensor()!.ElementCount, Shape(call[0])[0], Shape(call[1])[1]],
        ["aten::abs"] = AsFirst,
        ["aten::relu"] = AsFirst,
        ["aten::index_select_backward"] = call => call[1].AsIntegers(),
        ["aten::log_sigmoid"] = AsFirst,
        ["aten::index_select"] = call =>
            [.. Shape(call[0]).Select((size, dim) => dim == call[1].AsInteger() ? call[2].AsTensor()!.ElementCount : size)],
        ["aten::logsumexp"] = call => Reduced(Shape(call[0]), call[1].AsIntegers(), call[2].AsInteger() != 0),
        ["aten::where"] = call => Stretched(Shape(call[0]), Shape(call[1]), Shape(call[2])),
    };

    /// <summary>True once a tensor without elements was made: until then nobody needs to look.</summary>
    internal static bool IsAsked { get; set; }

    /// <summary>The result of a call; null when it is none of these, or not on this device.</summary>
    /// <param name="name">The operator.</param>
    /// <param name="arguments">Its arguments.</param>
    internal static Tensor? Find(ReadOnlySpan<byte> name, ReadOnlySpan<Value> arguments)
    {
        if (!IsAsked)
            return null;
        Value[] call = arguments.ToArray();
        if (!Array.Exists(call, value => value.AsTensor() is { Device.Kind: DeviceKind.Meta })
            || !Rows.TryGetValue(System.Text.Encoding.UTF8.GetString(name), out var shape))
            return null;
        var type = call.Select(value => value.AsTensor()).OfType<Tensor>().First(tensor => tensor.DType != DType.Bool).DType;
        return Tensor.Empty(shape(call), type, Device.Meta);
    }

    private static long[] AsFirst(Value[] call) => Shape(call[0]);

    private static long[] Shape(Value value) => value.AsTensor()!.Shape.ToArray();

    private static long[] Reduced(long[] shape, long[] dims, bool keep) => keep
        ? [.. shape.Select((size, dim) => dims.Contains(dim) ? 1 : size)]
        : [.. shape.Where((_, dim) => !dims.Contains(dim))];

    private static long[] Stretched(params long[][] shapes)
    {
        var result = new long[shapes.Max(shape => shape.Length)];
        for (var i = 1; i <= result.Length; i++)
        {
            // A size of 1 gives way to any other, 0 included.
            var sizes = shapes.Where(shape => shape.Length >= i).Select(shape => shape[^i]).ToList();
            result[^i] = sizes.Exists(size => size != 1) ? sizes.Find(size => size != 1) : 1;
        }
        return result;
    }
}
