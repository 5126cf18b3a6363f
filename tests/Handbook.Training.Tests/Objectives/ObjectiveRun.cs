using Handbook.Autograd;
using Handbook.Data.Packing;
using Handbook.Torch;
using Handbook.Training.Objectives;

namespace Handbook.Training.Tests.Objectives;

/// <summary>Loss, metrics and gradients of one step, as plain numbers.</summary>
internal sealed record ObjectiveRun(double Loss, IReadOnlyDictionary<string, double> Metrics, double[] Gradient)
{
    /// <summary>The rows of an objective's kind: packed with shared prompts, or each answer with its own copy of the prompt.</summary>
    internal static TokenBatch[] Rows(RowKind kind, bool shared) => kind == RowKind.Verdicts
        ? [.. RandomCompletions.Verdicts().Select(example => example.ToSequence())]
        : [.. RandomCompletions.Pairs().Select(pair => Row(pair, kind, shared))];

    internal static TokenBatch Row(PreferencePair pair, RowKind kind, bool shared)
    {
        var promptLabels = kind == RowKind.PairsWithPromptLabels;
        return shared || pair.Prompt.Length == 0 ? pair.ToSharedPrefix(promptLabels) : TwoPrompts(pair, promptLabels);
    }

    /// <summary>One step over micro-batches; gradients are taken and cleared.</summary>
    internal static ObjectiveRun Of(
        IObjective objective, IReadOnlyList<Parameter> parameters, params IReadOnlyList<TokenBatch> microBatches)
    {
        using var scope = new TensorScope();
        using var step = objective.Begin(microBatches, StepTotals.Of(microBatches));
        var (loss, metrics) = (0.0, new MetricSums());
        foreach (var batch in microBatches)
        {
            using var tape = new Tape();
            var result = step.Compute(tape, batch);
            tape.Backward(result.Loss);
            loss += result.LossValue;
            metrics.Add(result.Metrics);
        }
        var gradient = parameters.SelectMany(parameter => parameter.Grad?.ToArray<double>() ?? new double[parameter.Value.ElementCount])
            .ToArray();
        foreach (var parameter in parameters)
            parameter.ZeroGrad();
        return new ObjectiveRun(loss, metrics.EndStep().Means().ToDictionary(metric => metric.Name, metric => metric.Value), gradient);
    }

    /// <summary>A batch that is a step of its own.</summary>
    internal static ObjectiveResult Alone(IObjective objective, Tape tape, TokenBatch batch, bool isTraining = true) =>
        objective.Begin([batch], StepTotals.Of([batch], isTraining: isTraining)).Compute(tape, batch);

    /// <summary>Loss relative, gradient as relative L2, every metric.</summary>
    internal void AssertNear(ObjectiveRun other, double tolerance, string what)
    {
        Assert.True(Math.Abs(Loss - other.Loss) <= tolerance * Math.Max(1, Math.Abs(Loss)),
            $"{what}: loss {other.Loss:R}, expected {Loss:R}");
        var distance = Math.Sqrt(Gradient.Zip(other.Gradient, (a, b) => (a - b) * (a - b)).Sum());
        var norm = Math.Sqrt(Gradient.Sum(value => value * value));
        Assert.True(norm > 0, $"{what}: no gradient");
        Assert.True(distance <= tolerance * norm, $"{what}: gradients differ by {distance / norm:R}");
        Assert.Equal(Metrics.Keys.Order(), other.Metrics.Keys.Order());
        foreach (var (name, value) in Metrics)
            Assert.True(Math.Abs(value - other.Metrics[name]) <= tolerance * Math.Max(1, Math.Abs(value)),
                $"{what}: {name} {other.Metrics[name]:R}, expected {value:R}");
    }

    private static TokenBatch TwoPrompts(PreferencePair pair, bool promptLabels)
    {
        var (prompt, chosen, rejected) = (pair.Prompt.Length, pair.Chosen.Length, pair.Rejected.Length);
        int[] ids = [.. pair.Prompt, .. pair.Chosen, .. pair.Prompt, .. pair.Rejected];
        var mask = new bool[ids.Length];
        mask.AsSpan(promptLabels ? 0 : prompt, promptLabels ? prompt + chosen : chosen).Fill(true);
        mask.AsSpan(ids.Length - rejected).Fill(true);
        var layout = new SequenceLayout(
            new Segment(0, prompt), new Segment(prompt, chosen, prompt, 0),
            new Segment(prompt + chosen, prompt), new Segment(2 * prompt + chosen, rejected, prompt, 2));
        return new TokenBatch(ids, mask, layout, [pair.ExampleId], [1, 3]) { Margins = pair.Margin is { } margin ? [margin] : [] };
    }
}
