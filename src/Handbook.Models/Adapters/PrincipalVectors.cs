using Handbook.Torch;

namespace Handbook.Models.Adapters;

/// <summary>The beginning of a PiSSA adapter (Meng et al. 2024, arXiv:2404.02948).</summary>
internal static class PrincipalVectors
{
    /// <summary>A and B with scale · B A the best approximation of a weight of that rank, by its singular values.</summary>
    /// <param name="weight">[out, in].</param>
    /// <param name="rank">Width of the pair.</param>
    /// <param name="scale">What B A is multiplied with.</param>
    /// <returns>[rank, in] and [out, rank], float32.</returns>
    internal static (Tensor Down, Tensor Up) Of(Tensor weight, int rank, double scale)
    {
        using var scope = new TensorScope();
        var (left, values, right) = Operator.Call3("aten::linalg_svd"u8, default, weight.To(DType.Float32), false, Value.None);
        var roots = Operator.Call("aten::sqrt"u8, default, values.Narrow(0, 0, rank).Multiply(1 / scale));
        return (scope.Keep(right.Narrow(0, 0, rank).Multiply(roots.View(-1, 1))), scope.Keep(left.Narrow(1, 0, rank).Multiply(roots)));
    }
}
