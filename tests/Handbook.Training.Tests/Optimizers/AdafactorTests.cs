using Handbook.Autograd;
using Handbook.Torch;
using Handbook.Training.Optimizers;

namespace Handbook.Training.Tests.Optimizers;

/// <summary>Adafactor against the paper's algorithms 4 and 5 written out element by element.</summary>
public sealed class AdafactorTests
{
    private const double Rate = 0.02;
    private const double Decay = 0.3;

    [Theory]
    [InlineData(1, 12)]
    [InlineData(7, 5)]
    public void Step_FollowsThePaper(int rows, int columns)
    {
        using var scope = new TensorScope();
        var random = new Random(rows);
        var isMatrix = rows > 1;
        var weights = Numbers(random, rows * columns);
        var parameter = new Parameter("layer.weight", Tensor.From<double>(weights, isMatrix ? [rows, columns] : [columns]));
        using var optimizer = new Optimizer(new Adafactor(), [parameter], new OptimizerSettings { WeightDecay = Decay });
        var (row, column, whole) = (new double[rows], new double[columns], new double[columns]);
        for (var step = 1; step <= 4; step++)
        {
            var gradient = Numbers(random, rows * columns);
            parameter.Accumulate(Tensor.From<double>(gradient, parameter.Value.Shape));
            optimizer.Step(Rate);
            parameter.ZeroGrad();

            var beta = 1 - Math.Pow(step, -0.8);
            for (var i = 0; i < rows; i++)
                row[i] = beta * row[i] + (1 - beta) * Enumerable.Range(0, columns).Average(j => Square(gradient, i, j));
            for (var j = 0; j < columns; j++)
            {
                column[j] = beta * column[j] + (1 - beta) * Enumerable.Range(0, rows).Average(i => Square(gradient, i, j));
                whole[j] = beta * whole[j] + (1 - beta) * Square(gradient, 0, j);
            }
            var update = new double[gradient.Length];
            for (var i = 0; i < rows; i++)
            {
                for (var j = 0; j < columns; j++)
                    update[i * columns + j] = gradient[i * columns + j] / Math.Sqrt(isMatrix
                        ? row[i] * column[j] / row.Average() : whole[j]);
            }
            var rms = Math.Sqrt(update.Average(one => one * one));
            for (var i = 0; i < weights.Length; i++)
                weights[i] = weights[i] * (1 - Rate * Decay) - Rate * update[i] / Math.Max(1, rms);
            Assert.All(parameter.Value.ToArray<double>().Zip(weights), pair => Assert.Equal(pair.Second, pair.First, 1e-12));
        }

        double Square(double[] gradient, int i, int j) => gradient[i * columns + j] * gradient[i * columns + j] + 1e-30;
    }

    [Fact]
    public void State_OfAMatrix_IsARowAndAColumn()
    {
        using var scope = new TensorScope();
        var parameter = new Parameter("layer.weight", Tensor.Zeros([300, 200], DType.BFloat16));
        using var optimizer = new Optimizer(new Adafactor(), [parameter]);
        Assert.Equal([("step", 8L), ("layer.weight.master", 240_000L), ("layer.weight.exp_avg_sq_row", 1200L),
            ("layer.weight.exp_avg_sq_col", 800L)],
            optimizer.State().Select(entry => (entry.Name, entry.Tensor.ByteCount)));
    }

    private static double[] Numbers(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextDouble() * 4 - 2)];
}
