using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>
/// x Wᵀ + b for a few rows, where a row's result does not depend on how many others there are: every element is one sum over
/// the inputs in the same order. A general matrix product chooses its kernel by the number of rows and so rounds differently,
/// which is enough to turn a token when a batch grows.
/// </summary>
internal static unsafe partial class RowProduct
{
    /// <summary>Σ x Wᵀ + b.</summary>
    internal static Tensor Sum(IReadOnlyList<ProductTerm> terms, Tensor? bias)
    {
        using var scope = new TensorScope();
        var sum = Apply(terms[0].Rows, terms[0].Weight, bias);
        foreach (var (rows, weight) in terms.Skip(1))
            sum = sum.Add(Apply(rows, weight, null));
        return scope.Keep(sum);
    }

    /// <summary>Multiplies.</summary>
    /// <param name="input">[rows, inputs].</param>
    /// <param name="weight">[outputs, inputs].</param>
    /// <param name="bias">[outputs], or null.</param>
    /// <returns>[rows, outputs] in the input's type.</returns>
    internal static Tensor Apply(Tensor input, MatrixOperand weight, Tensor? bias) => Many(input, [weight], [bias])[0];

    /// <summary>Multiplies one input with several weights, which threads share out together.</summary>
    /// <param name="input">[rows, inputs].</param>
    /// <param name="weights">[outputs, inputs] each.</param>
    /// <param name="biases">[outputs] each, or null.</param>
    /// <returns>[rows, outputs] each, in the input's type.</returns>
    internal static Tensor[] Many(Tensor input, IReadOnlyList<MatrixOperand> weights, IReadOnlyList<Tensor?> biases)
    {
        var results = new Tensor[weights.Count];
        using var scope = new TensorScope();
        var shared = new List<RowTarget>();
        for (var i = 0; i < results.Length; i++)
        {
            var (weight, bias) = (weights[i], biases[i]);
            // Codes are read in the input's type, a dense weight in its own.
            var dtype = weight.IsQuantized ? input.DType : weight.ToTensor(input.DType).DType;
            if (KernelTable.Of(Operation.RowProduct, weight.Device.Kind, dtype) == Implementation.Plain || !weight.Fits(dtype))
                results[i] = scope.Keep(input.Linear(weight.ToTensor(dtype), bias));
            else if (BlocksFit(input, dtype))
                results[i] = scope.Keep(Blocks(input, weight.Panels, bias));
            else
            {
                results[i] = scope.Keep(Tensor.Empty([input.Size(0), weight.Size(0)], Kept(input.DType)));
                shared.Add(new RowTarget(weight.Panels, dtype, bias?.To(DType.Float32).Contiguous(), results[i]));
            }
        }
        if (shared.Count > 0)
            FusedKernels.ForWidth(Multiply<Lanes16>, Multiply<Lanes8>, Multiply<Lanes4>)(input.To(DType.Float32).Contiguous(), shared);
        for (var i = 0; i < results.Length; i++)
        {
            if (results[i].DType != input.DType)
                results[i] = scope.Keep(results[i].To(input.DType));
        }
        return results;
    }

    /// <summary>The type that kernels write: sums in float32 are rounded to bfloat16 in the cache, to anything else by libtorch.</summary>
    private static DType Kept(DType input) => input == DType.BFloat16 ? input : DType.Float32;

    private static Tensor Blocks(Tensor input, WeightPanels panels, Tensor? bias)
    {
        var y = Tensor.Empty([input.Size(0), panels.Outputs], DType.Float32);
        FusedKernels.ForWidth(MultiplyBlocks<Lanes16>, MultiplyBlocks<Lanes8>, MultiplyBlocks<Lanes4>)(input.Contiguous(), panels, y);
        return (bias is null ? y : y.Add(bias)).To(input.DType);
    }

    /// <summary>A product that is to be made.</summary>
    /// <param name="Weight">The weight.</param>
    /// <param name="DType">Type in which it is read.</param>
    /// <param name="Bias">[outputs] in float32, or null.</param>
    /// <param name="Result">[rows, outputs].</param>
    private sealed record RowTarget(WeightPanels Weight, DType DType, Tensor? Bias, Tensor Result);

    /// <summary>Room for rows that have to be made; the thread keeps it.</summary>
    private static T* Room<T>(long count) where T : unmanaged => new ScratchMemory(ScratchMemory.Size<T>(count)).Take<T>(count);
}
