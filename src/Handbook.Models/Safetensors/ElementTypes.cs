using Handbook.Torch;

namespace Handbook.Models.Safetensors;

/// <summary>Element types of the format: spelling, size, place in the order of tensors, and libtorch's type where there is one.</summary>
internal static class ElementTypes
{
    // In the order of the reference implementation's enumeration: files hold tensors by descending place, then by name, so
    // that each is aligned when the first one is.
    private static readonly (string Name, int Bits, DType? DType)[] Rows =
    [
        ("BOOL", 8, DType.Bool),
        ("F4", 4, null),
        ("F6_E2M3", 6, null),
        ("F6_E3M2", 6, null),
        ("U8", 8, DType.UInt8),
        ("I8", 8, DType.Int8),
        ("F8_E5M2", 8, null),
        ("F8_E4M3", 8, null),
        ("F8_E8M0", 8, null),
        ("I16", 16, DType.Int16),
        ("U16", 16, null),
        ("F16", 16, DType.Float16),
        ("BF16", 16, DType.BFloat16),
        ("I32", 32, DType.Int32),
        ("U32", 32, null),
        ("F32", 32, DType.Float32),
        ("C64", 64, null),
        ("F64", 64, DType.Float64),
        ("I64", 64, DType.Int64),
        ("U64", 64, null),
    ];

    internal static IEnumerable<string> Names => Rows.Select(row => row.Name);

    /// <summary>Bits of one element; null for a name that the format does not have.</summary>
    internal static int? Bits(string name) => Array.Find(Rows, row => row.Name == name) is { Name: not null } row ? row.Bits : null;

    /// <summary>libtorch's type; null where it has none that is supported here.</summary>
    internal static DType? DTypeOf(string name) => Array.Find(Rows, row => row.Name == name).DType;

    internal static string NameOf(DType dtype) => Rows[PlaceOf(dtype)].Name;

    internal static int PlaceOf(DType dtype) => Array.FindIndex(Rows, row => row.DType == dtype);
}
