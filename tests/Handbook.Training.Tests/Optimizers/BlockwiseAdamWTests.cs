using Handbook.Autograd;
using Handbook.Torch;
using Handbook.Training.Optimizers;
using Handbook.Training.Options;

namespace Handbook.Training.Tests.Optimizers;

/// <summary>
/// AdamW and Lion with states in 8 bits against bitsandbytes' kernels written out in float64: decode, average, move the weights by the
/// averages before they are encoded, encode by the nearest number of the map.
/// </summary>
public sealed class BlockwiseAdamWTests
{
    private const int Size = 5000;
    private const int Block = 256;
    private const double Rate = 0.01;
    private const double Decay = 0.1;

    [Fact]
    public void Step_OfAdamW_FollowsBitsandbytes()
    {
        var (mean, square) = (new Average(isSigned: true), new Average(isSigned: false));
        Compare(OptimizerKind.AdamW, (weights, gradient, step) =>
        {
            var (m, v) = (mean.Decode(), square.Decode());
            for (var i = 0; i < Size; i++)
            {
                m[i] = 0.9 * m[i] + 0.1 * gradient[i];
                v[i] = 0.999 * v[i] + 0.001 * gradient[i] * gradient[i];
                var (first, second) = (m[i] / (1 - Math.Pow(0.9, step)), v[i] / (1 - Math.Pow(0.999, step)));
                weights[i] = weights[i] * (1 - Rate * Decay) - Rate * first / (Math.Sqrt(second) + 1e-8);
            }
            mean.Encode(m);
            square.Encode(v);
        });
    }

    [Fact]
    public void Step_OfLion_FollowsBitsandbytes()
    {
        var momentum = new Average(isSigned: true);
        Compare(OptimizerKind.Lion, (weights, gradient, _) =>
        {
            var m = momentum.Decode();
            for (var i = 0; i < Size; i++)
            {
                weights[i] = weights[i] * (1 - Rate * Decay) - Rate * Math.Sign(0.9 * m[i] + 0.1 * gradient[i]);
                m[i] = 0.999 * m[i] + 0.001 * gradient[i];
            }
            momentum.Encode(m);
        });
    }

    private static void Compare(OptimizerKind kind, Action<double[], double[], int> move)
    {
        using var scope = new TensorScope();
        var random = new Random(5);
        var expected = Enumerable.Range(0, Size).Select(_ => (double)(float)(random.NextDouble() - 0.5)).ToArray();
        var parameter = new Parameter("layer.weight", Tensor.From(Array.ConvertAll(expected, one => (float)one)));
        var options = new OptimizationOptions
        {
            LearningRate = Rate, Optimizer = kind, States = OptimizerStates.Blocks8Bit, WeightDecay = Decay,
        };
        using var optimizer = OptimizerTable.Create(options, Precision.Float32, [parameter], seed: 1);
        for (var step = 1; step <= 4; step++)
        {
            var gradient = Enumerable.Range(0, Size)
                .Select(_ => (float)((random.NextDouble() - 0.5) * Math.Pow(10, -4 * random.NextDouble())))
                .ToArray();
            move(expected, Array.ConvertAll(gradient, one => (double)one), step);
            parameter.Accumulate(Tensor.From(gradient));
            optimizer.Step(Rate);
            parameter.ZeroGrad();
        }
        // Where float32 and float64 fall on two sides of a middle, codes differ by one.
        var apart = parameter.Value.ToArray<float>().Zip(expected).Count(pair => Math.Abs(pair.First - pair.Second) > 2e-6);
        Assert.InRange(apart, 0, 5);
    }

    private sealed class Average(bool isSigned)
    {
        private readonly double[] map = [.. Map(isSigned)];
        private readonly double[] parts = new double[Size];
        private readonly double[] scales = new double[(Size + Block - 1) / Block];

        /// <summary>
        /// create_dynamic_map: seven decades of 1, 2, 4 ... steps of each sign, or twice as many of one, at their middles.
        /// </summary>
        private static IEnumerable<double> Map(bool isSigned)
        {
            var sizes = Enumerable.Range(0, 7).SelectMany(decade =>
            {
                var items = (isSigned ? 1 : 2) << decade;
                return Enumerable.Range(0, items).Select(i => Math.Pow(10, decade - 6) * (0.1 + 0.9 * (i + 0.5) / items));
            }).ToArray();
            return isSigned ? [0, 1, .. sizes, .. sizes.Select(size => -size)] : [0, 1, .. sizes];
        }

        public double[] Decode() => [.. parts.Select((part, i) => part * scales[i / Block])];

        public void Encode(double[] numbers)
        {
            for (var i = 0; i < Size; i++)
            {
                if (i % Block == 0)
                    scales[i / Block] = numbers.Skip(i).Take(Block).Max(Math.Abs);
                var part = numbers[i] / scales[i / Block];
                var nearest = map.Where(number => numbers[i] >= 0 || number < 0).MinBy(number => Math.Abs(number - part));
                parts[i] = nearest;
            }
        }
    }
}
