using Handbook.Torch;

namespace Handbook.Training.Optimizers;

/// <summary>
/// Five steps of a Newton-Schulz iteration of fifth order, x ← a x + (b x xᵀ + c (x xᵀ)²) x, whose numbers bring all singular values of a
/// matrix between about 0.7 and 1.2 (kellerjordan.github.io/posts/muon).
/// </summary>
public static class Orthogonalization
{
    private const int Steps = 5;
    private const double Least = 1e-7;
    private static readonly (double A, double B, double C) Quintic = (3.4445, -4.7750, 2.0315);

    /// <summary>The matrices [..., rows, columns] with singular values near 1.</summary>
    /// <param name="matrices">float32 or float64.</param>
    /// <param name="products">The type that is multiplied and returned.</param>
    public static Tensor Of(Tensor matrices, DType products)
    {
        using var scope = new TensorScope();
        var isTall = matrices.Shape[^2] > matrices.Shape[^1];
        var x = Scaled(matrices).To(products);
        if (isTall)
            x = x.Transpose(-2, -1);
        for (var step = 0; step < Steps; step++)
        {
            using var iteration = new TensorScope();
            var gram = x.MatMul(x.Transpose(-2, -1));
            var polynomial = gram.Multiply(Quintic.B).Add(gram.MatMul(gram), Quintic.C);
            x = iteration.Keep(x.Multiply(Quintic.A).Add(polynomial.MatMul(x)));
        }
        return scope.Keep(isTall ? x.Transpose(-2, -1) : x);
    }

    /// <summary>Divided by their Frobenius norms, which no singular value exceeds.</summary>
    private static Tensor Scaled(Tensor matrices)
    {
        var squares = matrices.Multiply(matrices).Sum(-1, keepDim: true).Sum(-2, keepDim: true);
        var norm = Operator.Call("aten::sqrt"u8, default, squares);
        return matrices.Divide(Operator.Call("aten::maximum"u8, default, norm, Tensor.Full([], Least, norm.DType, norm.Device)));
    }
}
