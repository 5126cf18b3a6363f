using Handbook.Torch;

namespace Handbook.Gguf.Format;

/// <summary>A tensor that is to be written.</summary>
/// <param name="Name">Name in the file.</param>
/// <param name="Shape">Sizes, the last dimension's elements side by side (the file lists them the other way round).</param>
/// <param name="Type">How the elements are stored.</param>
/// <param name="Parts">
/// Makes the elements when they are written, in parts that follow one another in the first dimension. Each part is freed before the next
/// is made, so that no more than one is in memory.
/// </param>
internal sealed record GgufTensor(string Name, long[] Shape, TensorType Type, Func<IEnumerable<Tensor>> Parts)
{
    /// <summary>Number of elements.</summary>
    public long ElementCount => Shape.Aggregate(1L, (product, size) => product * size);

    /// <summary>Bytes in the file.</summary>
    public long ByteCount => Type.ByteCount(ElementCount);
}
