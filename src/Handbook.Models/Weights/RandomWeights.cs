using System.Text;
using Handbook.Autograd;
using Handbook.Torch;

namespace Handbook.Models.Weights;

/// <summary>
/// New weights as transformers' <c>_init_weights</c> makes them. A weight depends on the seed, its name and the element's
/// number alone: not on the order of construction, on threads, or on what else the model has.
/// </summary>
public sealed class RandomWeights : WeightSource
{
    private readonly ulong seed;
    private readonly double standardDeviation;

    /// <summary>Makes a source.</summary>
    /// <param name="seed">Another seed gives other weights.</param>
    /// <param name="standardDeviation">The configuration's <c>initializer_range</c>.</param>
    /// <param name="dtype">Element type of the weights.</param>
    /// <param name="device">Where they are put.</param>
    public RandomWeights(ulong seed, double standardDeviation, DType dtype, Device device = default) : base(dtype, device)
    {
        this.seed = seed;
        this.standardDeviation = standardDeviation;
    }

    /// <inheritdoc/>
    protected internal override Tensor Get(string name, ReadOnlySpan<long> shape, Initialization initialization, StoredForm form)
    {
        using var scope = new TensorScope();
        var weight = initialization switch
        {
            Initialization.Ones => Tensor.Full(shape, 1, DType.Float32),
            Initialization.Zeros => Tensor.Zeros(shape, DType.Float32),
            _ => Normal(name, shape),
        };
        return TensorScope.Detach(weight.To(DType).To(Device));
    }

    private unsafe Tensor Normal(string name, ReadOnlySpan<long> shape)
    {
        var weight = Tensor.Empty(shape, DType.Float32);
        var random = new RandomStream(seed ^ Hash(name));
        var target = (float*)weight.Pointer;
        var count = weight.ElementCount;
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
        return weight;
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
