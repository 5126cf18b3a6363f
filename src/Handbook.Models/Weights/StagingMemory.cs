using System.Runtime.InteropServices;
using Handbook.Torch;

namespace Handbook.Models.Weights;

/// <summary>
/// Memory that tensors pass through, one at a time, before what is made of them stays. In the heap each would leave a hole that the next
/// long-lived block makes useless: a model of 1.7 billion weights that became 1 GB of codes took 2.8 GB.
/// </summary>
internal sealed unsafe class StagingMemory
{
    private const long Alignment = 64;

    /// <summary>
    /// The allocator maps blocks of this size on their own and gives them back whole; pages that nothing touches cost nothing.
    /// </summary>
    private const long Least = 128 << 20;

    private void* memory;
    private long size;

    /// <summary>A row-major tensor over the memory; what the one before held is gone.</summary>
    internal Tensor Take(long[] shape, DType dtype)
    {
        var bytes = shape.Aggregate(dtype.Size(), (long product, long length) => checked(product * length));
        if (memory == null || bytes > size)
        {
            Free();
            size = Math.Max(Least, bytes);
            memory = NativeMemory.AlignedAlloc((nuint)size, (nuint)Alignment);
        }
        return Tensor.OverMemory(memory, shape, dtype);
    }

    /// <summary>Frees the memory; tensors over it must be gone.</summary>
    internal void Free()
    {
        NativeMemory.AlignedFree(memory);
        memory = null;
    }
}
