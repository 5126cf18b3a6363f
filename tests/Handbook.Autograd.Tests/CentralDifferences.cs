using Handbook.Torch;

namespace Handbook.Autograd.Tests;

/// <summary>Gradients of a tape operation against central differences in float64.</summary>
internal static class CentralDifferences
{
    private const double Step = 1e-5;

    /// <summary>Random numbers, roughly standard normal.</summary>
    internal static Tensor Normal(Random random, params long[] shape)
    {
        var data = new double[shape.Aggregate(1L, (product, size) => product * size)];
        for (var i = 0; i < data.Length; i++)
            data[i] = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        return Tensor.From<double>(data, shape);
    }

    /// <summary>Compares the gradients of sum(operation(inputs) * cotangent) with respect to every element of every input.</summary>
    internal static void Check(Random random, Tensor[] inputs, Func<Tape, Variable[], Variable> operation, double tolerance = 1e-6)
    {
        using var scope = new TensorScope();
        var variables = Array.ConvertAll(inputs, input => new Variable(input, requiresGrad: true));
        using var tape = new Tape();
        var output = operation(tape, variables);
        var cotangent = Normal(random, output.Value.Shape.ToArray());
        tape.Backward(output, cotangent.Clone());
        for (var k = 0; k < inputs.Length; k++)
        {
            var analytic = variables[k].Grad!.ToArray<double>();
            var elements = inputs[k].Span<double>();
            for (var i = 0; i < elements.Length; i++)
            {
                var kept = elements[i];
                elements[i] = kept + Step;
                var above = Evaluate(inputs, operation, cotangent);
                elements[i] = kept - Step;
                var below = Evaluate(inputs, operation, cotangent);
                elements[i] = kept;
                var numeric = (above - below) / (2 * Step);
                Assert.True(Math.Abs(numeric - analytic[i]) <= tolerance * (1 + Math.Abs(numeric)),
                    $"input {k}, element {i}: gradient {analytic[i]}, central difference {numeric}");
            }
            variables[k].ClearGrad();
        }
    }

    private static double Evaluate(Tensor[] inputs, Func<Tape, Variable[], Variable> operation, Tensor cotangent)
    {
        using var scope = new TensorScope();
        using var tape = new Tape(isRecording: false);
        return operation(tape, Array.ConvertAll(inputs, input => new Variable(input))).Value.Multiply(cotangent).Sum().Item();
    }
}
