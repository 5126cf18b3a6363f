using Handbook.Autograd;
using Handbook.Data.Packing;
using Handbook.Models;
using Handbook.Torch;
using Handbook.Training.Objectives;
using Handbook.Training.Objectives.Preference;

namespace Handbook.Training.Tests.Objectives;

/// <summary>
/// The gradient of every objective with respect to the model's weights, in float64, against differences of the loss along its own
/// direction and along a random one. What objectives hold constant (KTO's divergence, BCO's mean) is held constant here too.
/// </summary>
public sealed class FiniteDifferenceTests
{
    private const double Step = 1e-5;
    private const double Tolerance = 1e-6;

    /// <summary>
    /// WPO's weights follow the policy and carry no gradient, so differences do not see what the gradient is; golden vectors do.
    /// </summary>
    public static TheoryData<string> Objectives() =>
        ObjectiveCases.Names(entry => !entry.Name.Contains("use_weighting", StringComparison.Ordinal));

    [Theory]
    [MemberData(nameof(Objectives))]
    public void Compute_GradientOfWeights_EqualsDifferencesOfTheLoss(string name)
    {
        var entry = ObjectiveCases.Find(name);
        using var scope = new TensorScope();
        using var models = new SmallModels(DType.Float64);
        using var start = new SmallModels(DType.Float64);
        var packed = models.Packed;
        var objective = entry.Create(packed with { Policy = new ConstantWhenSilent(packed.Policy, start.Packed.Policy) });
        var parameters = models.Parameters(entry.Kind);
        var batch = TokenBatch.Concatenate(ObjectiveRun.Rows(entry.Kind, shared: true));
        ObjectiveRun.Of(objective, parameters, batch);
        objective.Stepped(1);

        var gradient = Gradient(objective, parameters, batch);
        var norm = Math.Sqrt(gradient.Sum(value => value * value));
        Assert.True(norm > 0, name);
        foreach (var direction in new[] { [.. gradient.Select(value => value / norm)], Random(gradient.Length) })
        {
            var expected = gradient.Zip(direction, (a, b) => a * b).Sum();
            Move(parameters, direction, Step);
            var above = Loss(objective, batch);
            Move(parameters, direction, -2 * Step);
            var below = Loss(objective, batch);
            Move(parameters, direction, Step);
            Assert.InRange((above - below) / (2 * Step) - expected, -Tolerance * norm, Tolerance * norm);
        }
    }

    private static double[] Gradient(IObjective objective, IReadOnlyList<Parameter> parameters, TokenBatch batch)
    {
        using var tape = new Tape();
        tape.Backward(ObjectiveRun.Alone(objective, tape, batch, isTraining: false).Loss);
        double[] gradient = [.. parameters.SelectMany(parameter => parameter.Grad!.ToArray<double>())];
        foreach (var parameter in parameters)
            parameter.ZeroGrad();
        return gradient;
    }

    private static double Loss(IObjective objective, TokenBatch batch)
    {
        using var scope = new TensorScope();
        using var tape = new Tape();
        return ObjectiveRun.Alone(objective, tape, batch, isTraining: false).Loss.Value.Item();
    }

    private static void Move(IReadOnlyList<Parameter> parameters, double[] direction, double length)
    {
        var start = 0;
        foreach (var parameter in parameters)
        {
            using var scope = new TensorScope();
            var count = (int)parameter.Value.ElementCount;
            var part = Tensor.From(direction[start..(start + count)]).View([.. parameter.Value.Shape]);
            parameter.Replace(parameter.Value.Add(part.Multiply(length)));
            start += count;
        }
    }

    private static double[] Random(int count)
    {
        var random = new RandomStream(9);
        double[] values = [.. Enumerable.Range(0, count).Select(i => (double)(random.Bits((ulong)i) % 2001) / 1000 - 1)];
        var norm = Math.Sqrt(values.Sum(value => value * value));
        return [.. values.Select(value => value / norm)];
    }

    private sealed class ConstantWhenSilent(IPolicy moving, IPolicy constant) : IPolicy
    {
        public HiddenStates Forward(Tape tape, TokenBatch batch) => (tape.IsRecording ? moving : constant).Forward(tape, batch);
    }
}
