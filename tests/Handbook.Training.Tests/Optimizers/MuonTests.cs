using Handbook.Autograd;
using Handbook.Torch;
using Handbook.Training.Optimizers;
using Handbook.Training.Options;

namespace Handbook.Training.Tests.Optimizers;

/// <summary>Muon against its formula written out over arrays, and which weights it moves.</summary>
public sealed class MuonTests
{
    private const double Rate = 0.02;
    private const double Decay = 0.3;

    [Theory]
    [InlineData(6, 4, MuonAdjustment.Original)]
    [InlineData(4, 6, MuonAdjustment.Original)]
    [InlineData(6, 4, MuonAdjustment.MatchRmsAdamW)]
    [InlineData(3, 7, MuonAdjustment.MatchRmsAdamW)]
    public void Step_FollowsTheFormula(int rows, int columns, MuonAdjustment adjustment)
    {
        using var scope = new TensorScope();
        var random = new Random(rows + columns);
        var weights = Matrix(random, rows, columns);
        var parameter = new Parameter("layers.0.weight", ToTensor(weights));
        using var optimizer = new Optimizer(
            new Muon(new AdamW(), adjustment, DType.Float32), [parameter], new OptimizerSettings { WeightDecay = Decay });
        var momentum = new double[rows, columns];
        var factor = adjustment == MuonAdjustment.Original
            ? Math.Sqrt(Math.Max(1, (double)rows / columns)) : 0.2 * Math.Sqrt(Math.Max(rows, columns));
        for (var step = 0; step < 3; step++)
        {
            var gradient = Matrix(random, rows, columns);
            parameter.Accumulate(ToTensor(gradient));
            optimizer.Step(Rate);
            parameter.ZeroGrad();

            momentum = Sum(momentum, 0.95, gradient, 0.05);
            var direction = NewtonSchulz(Sum(gradient, 0.05, momentum, 0.95));
            weights = Sum(weights, 1 - Rate * Decay, direction, -Rate * factor);
            Assert.All(parameter.Value.ToArray<double>().Zip(weights.Cast<double>()),
                pair => Assert.Equal(pair.Second, pair.First, 1e-12));
        }
    }

    [Theory]
    [InlineData(40, 24, DType.Float32)]
    [InlineData(24, 40, DType.Float32)]
    [InlineData(64, 64, DType.BFloat16)]
    public void Orthogonalization_BringsSingularValuesNearOne(int rows, int columns, DType products)
    {
        using var scope = new TensorScope();
        var matrix = ToTensor(Matrix(new Random(1), rows, columns)).To(DType.Float32);
        var values = Operator.Call("aten::linalg_svdvals"u8, default, Orthogonalization.Of(matrix, products).To(DType.Float32), Value.None)
            .ToArray<float>();
        Assert.All(values.Where((_, i) => rows != columns || i < columns / 2), value => Assert.InRange(value, 0.6, 1.3));
    }

    [Fact]
    public void Orthogonalization_OfAStack_IsThatOfEachMatrix()
    {
        using var scope = new TensorScope();
        var random = new Random(3);
        Tensor[] each = [.. Enumerable.Range(0, 3).Select(_ => ToTensor(Matrix(random, 5, 8)))];
        var stack = Operator.Call("aten::stack"u8, default, each, 0L);
        var together = Orthogonalization.Of(stack, DType.Float64);
        for (var i = 0; i < each.Length; i++)
            Assert.InRange(together.Select(0, i).MaxAbsDifference(Orthogonalization.Of(each[i], DType.Float64)), 0, 1e-12);
    }

    [Fact]
    public void Rule_OfEmbeddingsHeadsNormsAndBiases_IsAdamW()
    {
        using var scope = new TensorScope();
        Parameter[] parameters =
        [
            new("model.embed_tokens.weight", Tensor.Zeros([8, 4], DType.Float32)),
            new("model.layers.0.self_attn.q_proj.weight", Tensor.Zeros([4, 4], DType.Float32)),
            new("model.layers.0.self_attn.q_proj.bias", Tensor.Zeros([4], DType.Float32)),
            new("model.layers.0.input_layernorm.weight", Tensor.Zeros([4], DType.Float32)),
            new("model.layers.0.mlp.experts.down_proj", Tensor.Zeros([2, 4, 4], DType.Float32)),
            new("model.layers.0.mlp.experts.down_proj_bias", Tensor.Zeros([2, 4], DType.Float32)),
            new("lm_head.weight", Tensor.Zeros([8, 4], DType.Float32)),
            new("score.weight", Tensor.Zeros([1, 4], DType.Float32)),
        ];
        using var optimizer = OptimizerTable.Create(
            new OptimizationOptions { LearningRate = 1, Optimizer = OptimizerKind.Muon }, Precision.Float32, parameters, seed: 1);
        Assert.Equal(["model.layers.0.self_attn.q_proj.weight.momentum_buffer", "model.layers.0.mlp.experts.down_proj.momentum_buffer"],
            optimizer.State().Select(entry => entry.Name).Where(name => name.EndsWith("buffer", StringComparison.Ordinal)));
        Assert.Equal(6, optimizer.State().Count(entry => entry.Name.EndsWith("exp_avg_sq", StringComparison.Ordinal)));
    }

    private static double[,] NewtonSchulz(double[,] matrix)
    {
        var isTall = matrix.GetLength(0) > matrix.GetLength(1);
        var norm = Math.Sqrt(matrix.Cast<double>().Sum(one => one * one));
        var x = Sum(isTall ? Transposed(matrix) : matrix, 1 / norm, matrix, 0);
        for (var i = 0; i < 5; i++)
        {
            var gram = Product(x, Transposed(x));
            x = Sum(x, 3.4445, Product(Sum(gram, -4.7750, Product(gram, gram), 2.0315), x), 1);
        }
        return isTall ? Transposed(x) : x;
    }

    private static double[,] Product(double[,] left, double[,] right) => Made(left.GetLength(0), right.GetLength(1),
        (i, j) => Enumerable.Range(0, left.GetLength(1)).Sum(k => left[i, k] * right[k, j]));

    private static double[,] Transposed(double[,] matrix) => Made(matrix.GetLength(1), matrix.GetLength(0), (i, j) => matrix[j, i]);

    private static double[,] Sum(double[,] left, double a, double[,] right, double b) =>
        Made(left.GetLength(0), left.GetLength(1), (i, j) => a * left[i, j] + (b == 0 ? 0 : b * right[i, j]));

    private static double[,] Matrix(Random random, int rows, int columns) => Made(rows, columns, (_, _) => random.NextDouble() * 2 - 1);

    private static double[,] Made(int rows, int columns, Func<int, int, double> element)
    {
        var matrix = new double[rows, columns];
        for (var i = 0; i < rows; i++)
        {
            for (var j = 0; j < columns; j++)
                matrix[i, j] = element(i, j);
        }
        return matrix;
    }

    private static Tensor ToTensor(double[,] matrix) =>
        Tensor.From<double>(matrix.Cast<double>().ToArray(), [matrix.GetLength(0), matrix.GetLength(1)]);
}
