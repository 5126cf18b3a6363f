namespace Handbook.Models.Safetensors;

/// <summary>One tensor of a safetensors file as its header describes it.</summary>
/// <param name="Name">Name in the file.</param>
/// <param name="DTypeName">Element type in the file's spelling, such as <c>BF16</c>.</param>
/// <param name="Shape">Sizes of the dimensions.</param>
/// <param name="Begin">Offset of the first byte in the data part.</param>
/// <param name="End">Offset after the last byte in the data part.</param>
public sealed record TensorEntry(string Name, string DTypeName, long[] Shape, long Begin, long End)
{
    /// <summary>Number of elements.</summary>
    public long ElementCount => Shape.Aggregate(1L, (product, size) => product * size);

    /// <summary>Such as <c>[2, 3]</c>.</summary>
    public string ShapeText => "[" + string.Join(", ", Shape) + "]";
}
