using Handbook.Torch;

namespace Handbook.Autograd.Tests;

/// <summary>Says which operation a test proves the gradient of; <see cref="GradientCoverageTests"/> looks for one on each.</summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Class, AllowMultiple = true)]
internal sealed class ProvesGradientAttribute(Type operation, string method) : Attribute
{
    internal Type Operation { get; } = operation;

    internal string Method { get; } = method;
}

/// <summary>Holds an operation's gradients against central finite differences in float64 and against libtorch's autograd.</summary>
internal static class GradientCheck
{
    internal const ulong TapeSeed = 11;

    /// <summary>
    /// Checks d/d(input) of sum_i sum(output_i · random weight_i) for every element of every floating-point input.
    /// </summary>
    internal static void AgainstFiniteDifferences(
        Func<Tape, Variable[], Variable[]> operation, Tensor[] inputs, double tolerance = 1e-6, double step = 1e-5)
    {
        using var scope = new TensorScope();
        var weights = OutputWeights(operation, inputs);
        var gradients = Gradients(operation, inputs, weights);
        for (var i = 0; i < inputs.Length; i++)
        {
            if (!inputs[i].DType.IsFloatingPoint())
                continue;
            Assert.Equal(DType.Float64, inputs[i].DType);
            var found = gradients[i]?.ToArray<double>();
            for (var element = 0; element < inputs[i].ElementCount; element++)
            {
                var expected = (Shifted(operation, inputs, weights, i, element, step)
                    - Shifted(operation, inputs, weights, i, element, -step)) / (2 * step);
                var actual = found?[element] ?? 0;
                Assert.True(
                    Math.Abs(actual - expected) <= tolerance * (1 + Math.Abs(expected)),
                    $"input {i} {inputs[i]}, element {element}: gradient {actual:R}, finite difference {expected:R}");
            }
        }
    }

    /// <summary>Checks values and gradients against the same function written in libtorch's operators.</summary>
    /// <param name="operation">Ours.</param>
    /// <param name="reference">libtorch's.</param>
    /// <param name="inputs">Any types; integers get no gradient.</param>
    /// <param name="tolerance">Largest difference, relative to the largest element of the reference's tensor plus one.</param>
    internal static void AgainstLibtorch(
        Func<Tape, Variable[], Variable[]> operation, Func<Tensor[], Tensor[]> reference, Tensor[] inputs, double tolerance)
    {
        using var scope = new TensorScope();
        var values = reference(inputs);
        using (var tape = new Tape(isRecording: false, TapeSeed))
        {
            var found = operation(tape, Array.ConvertAll(inputs, input => new Variable(input)));
            for (var i = 0; i < values.Length; i++)
                AssertClose(values[i], found[i].Value, tolerance, $"output {i}");
        }
        var weights = OutputWeights(operation, inputs);
        var expected = LibtorchAutograd.Gradients(reference, inputs, weights);
        var actual = Gradients(operation, inputs, weights);
        for (var i = 0; i < inputs.Length; i++)
        {
            if (expected[i] is { } gradient)
                AssertClose(gradient, actual[i] ?? Tensor.Zeros(gradient.Shape, gradient.DType), tolerance, $"gradient of input {i}");
        }
    }

    /// <summary>Gradients of an operation with given gradients of its outputs; null where none arrived.</summary>
    internal static Tensor?[] Gradients(Func<Tape, Variable[], Variable[]> operation, Tensor[] inputs, Tensor[] outputGradients)
    {
        using var tape = new Tape(seed: TapeSeed);
        var variables = Array.ConvertAll(inputs, input => new Variable(input, input.DType.IsFloatingPoint()));
        var outputs = operation(tape, variables);
        for (var i = 0; i < outputs.Length - 1; i++)
            outputs[i].Accumulate(outputGradients[i].Alias());
        tape.Backward(outputs[^1], outputGradients[outputs.Length - 1].Alias());
        return Array.ConvertAll(variables, variable => variable.Grad);
    }

    /// <summary>Standard normal numbers, the same for the same generator state.</summary>
    internal static Tensor Normal(Random random, params ReadOnlySpan<long> shape)
    {
        var count = 1L;
        foreach (var size in shape)
            count *= size;
        var data = new double[count];
        for (var i = 0; i < data.Length; i++)
            data[i] = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        return Tensor.From<double>(data, shape);
    }

    /// <summary>Fails with a readable message when two tensors differ.</summary>
    internal static void AssertClose(Tensor expected, Tensor actual, double tolerance, string what)
    {
        Assert.True(expected.Shape.SequenceEqual(actual.Shape), $"{what}: {actual} instead of {expected}");
        if (expected.ElementCount == 0)
            return;
        using var scope = new TensorScope();
        var largest = expected.MaxAbsDifference(Tensor.Zeros(expected.Shape, DType.Float64));
        var difference = expected.MaxAbsDifference(actual);
        Assert.True(difference <= tolerance * (1 + largest), $"{what}: differs by {difference:R} where the largest element is {largest:R}");
    }

    private static Tensor[] OutputWeights(Func<Tape, Variable[], Variable[]> operation, Tensor[] inputs)
    {
        var random = new Random(5);
        using var tape = new Tape(isRecording: false, TapeSeed);
        var outputs = operation(tape, Array.ConvertAll(inputs, input => new Variable(input)));
        return Array.ConvertAll(outputs, output => Normal(random, output.Value.Shape).To(output.Value.DType));
    }

    private static double Shifted(
        Func<Tape, Variable[], Variable[]> operation, Tensor[] inputs, Tensor[] weights, int input, int element, double by)
    {
        using var scope = new TensorScope();
        var shifted = (Tensor[])inputs.Clone();
        shifted[input] = inputs[input].Clone();
        shifted[input].Span<double>()[element] += by;
        using var tape = new Tape(isRecording: false, TapeSeed);
        var outputs = operation(tape, Array.ConvertAll(shifted, value => new Variable(value)));
        var loss = 0.0;
        for (var i = 0; i < outputs.Length; i++)
            loss += outputs[i].Value.Multiply(weights[i]).Sum().Item();
        return loss;
    }
}
