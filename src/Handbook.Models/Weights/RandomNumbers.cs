using System.Text;
using Handbook.Autograd;
using Handbook.Torch;

namespace Handbook.Models.Weights;

/// <summary>
/// Random float32 tensors that depend on a seed, a name and the element's number alone: not on the order in which they are made, on
/// threads, or on what else there is.
/// </summary>
internal static class RandomNumbers
{
    /// <summary>Normal numbers around 0.</summary>
    internal static unsafe Tensor Normal(ulong seed, string name, ReadOnlySpan<long> shape, double standardDeviation)
    {
        var tensor = Tensor.Empty(shape, DType.Float32);
        var random = new RandomStream(seed ^ Hash(name));
        var target = (float*)tensor.Pointer;
        var count = tensor.ElementCount;
        ParallelWork.For((count + 1) / 2, 1 << 14, (begin, end) =>
        {
            for (var pair = begin; pair < end; pair++)
            {
                // Box and Muller 1958: two uniform numbers, of 53 bits so that the tails are whole, give two normal ones.
                var first = ((random.Bits((ulong)(2 * pair)) >> 11) + 1) * (1.0 / (1UL << 53));
                var second = (random.Bits((ulong)(2 * pair + 1)) >> 11) * (1.0 / (1UL << 53));
                var radius = standardDeviation * Math.Sqrt(-2 * Math.Log(first));
                var (sine, cosine) = Math.SinCos(2 * Math.PI * second);
                target[2 * pair] = (float)(radius * cosine);
                if (2 * pair + 1 < count)
                    target[2 * pair + 1] = (float)(radius * sine);
            }
        });
        return tensor;
    }

    /// <summary>Uniform numbers in [-bound, bound).</summary>
    internal static unsafe Tensor Uniform(ulong seed, string name, ReadOnlySpan<long> shape, double bound)
    {
        var tensor = Tensor.Empty(shape, DType.Float32);
        var random = new RandomStream(seed ^ Hash(name));
        var target = (float*)tensor.Pointer;
        ParallelWork.For(tensor.ElementCount, 1 << 14, (begin, end) =>
        {
            for (var i = begin; i < end; i++)
                target[i] = (float)(bound * (2 * random.Uniform((ulong)i) - 1));
        });
        return tensor;
    }

    /// <summary>FNV-1a, 64 bits.</summary>
    private static ulong Hash(string name)
    {
        var hash = 14695981039346656037UL;
        foreach (var unit in Encoding.UTF8.GetBytes(name))
            hash = (hash ^ unit) * 1099511628211UL;
        return hash;
    }
}
