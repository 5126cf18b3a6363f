using Handbook.Autograd.Kernels;
using Handbook.Torch;

namespace Handbook.Autograd.Tests;

public sealed class RowProductTests
{
    [Theory]
    [InlineData(DType.Float32, 72, 131, 1e-5)]
    [InlineData(DType.Float32, 7, 3, 1e-5)]
    [InlineData(DType.BFloat16, 72, 131, 8e-3)]
    [InlineData(DType.BFloat16, 172, 64, 8e-3)]
    [InlineData(DType.BFloat16, 35, 5, 8e-3)]
    public void Apply_AnyNumberOfRows_GivesTheProductAndTheSameBitsForARow(DType dtype, int inputs, int outputs, double tolerance)
    {
        using var scope = new TensorScope();
        var weight = Numbers(outputs, inputs, dtype, 1);
        var bias = Numbers(1, outputs, dtype, 2).View(outputs);
        var x = Numbers(35, inputs, dtype, 3);
        var expected = x.To(DType.Float64).MatMul(weight.To(DType.Float64).Transpose(0, 1)).Add(bias.To(DType.Float64));

        var all = RowProduct.Apply(x, weight, bias);

        Assert.Equal(dtype, all.DType);
        Assert.InRange(all.MaxAbsDifference(expected), 0, tolerance * expected.ToArray<double>().Max(Math.Abs));
        foreach (var (start, count) in new[] { (0, 1), (34, 1), (3, 4), (16, 16), (5, 19), (1, 34) })
        {
            var some = RowProduct.Apply(x.Narrow(0, start, count), weight, bias);
            Assert.Equal(all.Narrow(0, start, count).ToArray<float>(), some.ToArray<float>());
        }
    }

    private static Tensor Numbers(int rows, int columns, DType dtype, int seed)
    {
        var random = new Random(seed);
        return Tensor.From<double>([.. Enumerable.Range(0, rows * columns).Select(_ => random.NextDouble() - 0.5)], [rows, columns])
            .To(dtype);
    }
}
