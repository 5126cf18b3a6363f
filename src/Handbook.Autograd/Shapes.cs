using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>Shape questions that several gradients ask.</summary>
internal static class Shapes
{
    /// <summary>
    /// The gradient of an operand that took part in broadcasting: summed over the dimensions it was stretched along, in its
    /// own type. Belongs to the current scope.
    /// </summary>
    internal static Tensor ReduceTo(Tensor gradient, Tensor operand)
    {
        var result = gradient;
        var extra = gradient.DimensionCount - operand.DimensionCount;
        var stretched = new List<long>();
        for (var dim = 0; dim < gradient.DimensionCount; dim++)
        {
            if (dim < extra || operand.Shape[dim - extra] == 1 && gradient.Shape[dim] != 1)
                stretched.Add(dim);
        }
        if (stretched.Count > 0)
            result = Operator.Call("aten::sum"u8, "dim_IntList"u8, gradient, Value.Some(stretched.ToArray()), true, Value.None)
                .Reshape(operand.Shape);
        return result.DType == operand.DType ? result.Alias() : result.To(operand.DType);
    }

    /// <summary>The type in which sums over a tensor's elements are formed: float32, or float64 for float64.</summary>
    internal static DType SumType(Tensor tensor) => tensor.DType == DType.Float64 ? DType.Float64 : DType.Float32;
}
