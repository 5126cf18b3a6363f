using Handbook.Autograd;
using Handbook.Data.Packing;
using Handbook.Models;
using Handbook.Models.Architectures;
using Handbook.Models.Configuration;
using Handbook.Torch;
using Handbook.Training.Optimizers;
using Handbook.Training.Options;
using Handbook.Training.Runs;

namespace Handbook.Training.Planning;

/// <summary>
/// Predicts memory and time of a run's steps. It runs real steps, with the run's own kernels, adapter, optimizer and objective, of a
/// model cut down to a layer or two of each kind, and of fewer tokens where there are many; the rest is proportion: layers of one kind
/// cost the same, operations grow with tokens and attention with the pairs of tokens that see each other.
/// </summary>
public static class Planner
{
    /// <summary>Tokens of a micro-batch that is tried at most; from two sizes below it follows how memory grows.</summary>
    private const int MostTokens = 1024;

    /// <summary>Head and loss work in chunks of some hundred labels: the smaller sizes must have more than one.</summary>
    private static readonly int[] Sizes = [MostTokens, 832, 640];

    /// <summary>Floating-point operations of a step that is tried at its full length: some seconds on a laptop.</summary>
    private const double MostFlops = 1.5e12;

    /// <summary>Share of the memory there is that a trial may take.</summary>
    private const double TrialShare = 0.6;

    private static readonly string[] OncePerStep = [nameof(GradientNorm), nameof(Optimizer)];

    /// <summary>Predicts.</summary>
    /// <param name="options">The run, its precision settled.</param>
    /// <param name="config">Its model, with the vocabulary that it will have.</param>
    /// <param name="load">What its steps compute.</param>
    /// <param name="limit">Bytes that there are.</param>
    public static StepPlan Of(RunOptions options, ModelConfig config, StepLoad load, long limit)
    {
        var shape = ProbeShape.Cut(config, ArchitectureTable.Rows[config.ModelType].Names.Layers);
        var device = RunDevice.Of(options.Model).Device;
        using (var sizes = new ProbeModel(options, shape.Config, Device.Meta))
        {
            var trial = sizes.Weights.Concat(sizes.FrozenWeights).Concat(sizes.States).Sum(tensor => tensor.Bytes);
            var room = ResidentMemory.Limit() - ResidentMemory.Current();
            if (trial + sizes.Trained.Sum(parameter => parameter.Value.ByteCount) > TrialShare * room)
                return new StepPlan(AtLeast(options, config), false, null, load, limit);
        }
        using var probe = new ProbeModel(options, shape.Config, device);
        var largest = load.Largest.Shrink(MostTokens);
        var memory = Memory(probe, shape, load);
        var seconds = Seconds(StepProbe.Times(probe, largest), shape, load, BatchWork.Of(largest), Growth(probe, shape));
        return new StepPlan(Shown([.. Static(probe, shape), .. memory.AtPeak]), true, seconds, load, limit);
    }

    /// <summary>
    /// What a run holds in any case: weights, optimizer, and gradients in the weights' type. Nothing is run for it.
    /// </summary>
    /// <param name="options">The run, its precision settled.</param>
    /// <param name="config">Its model.</param>
    public static IReadOnlyList<(MemoryOwner Owner, long Bytes)> AtLeast(RunOptions options, ModelConfig config)
    {
        var shape = ProbeShape.Cut(config, ArchitectureTable.Rows[config.ModelType].Names.Layers);
        using var sizes = new ProbeModel(options, shape.Config, Device.Meta);
        var gradients = shape.Whole(sizes.Trained.Select(parameter => (parameter.Name, parameter.Value.ByteCount)));
        return Shown([.. Static(sizes, shape), (MemoryOwner.Gradients, gradients)]);
    }

    private static (MemoryOwner Owner, double Bytes)[] Static(ProbeModel probe, ProbeShape shape) =>
    [
        (MemoryOwner.Weights, shape.Whole(probe.Weights)),
        (MemoryOwner.Reference, shape.Whole(probe.FrozenWeights)),
        (MemoryOwner.Optimizer, shape.Whole(probe.States)),
    ];

    private static IReadOnlyList<(MemoryOwner Owner, long Bytes)> Shown(IEnumerable<(MemoryOwner Owner, double Bytes)> parts) =>
        [.. parts.GroupBy(part => part.Owner).OrderBy(owner => owner.Key).Select(owner => (owner.Key, (long)owner.Sum(part => part.Bytes)))
            .Where(part => part.Item2 > 0)];

    /// <summary>
    /// Memory of the largest micro-batch: seen, where a step of it is short enough, else as it grows between two smaller ones.
    /// </summary>
    private static StepMemory Memory(ProbeModel probe, ProbeShape shape, StepLoad load)
    {
        // A head works in chunks: beyond some hundred labels more of them take time, and memory for their hidden states alone.
        var largest = load.Largest.WithLabels(MostTokens);
        if (largest.TokenCount <= MostTokens || Flops(probe, shape, largest) <= MostFlops)
        {
            var seen = StepProbe.Memory(probe, shape, largest);
            return seen with
            {
                Early = seen.Early + HostBytes.Of(
                    (double)(load.Largest.LossTokenCount - largest.LossTokenCount) * shape.Config.HiddenSize * sizeof(float)),
            };
        }
        var hasSquares = shape.Config.Layers
            .Any(layer => layer.Attention is { SoftCap: not null } or { HasSinks: true } or { Dropout: > 0 });
        var readings = Sizes.Take(hasSquares ? 3 : 2).Select(size => load.Largest.Shrink(size))
            .Select(batch => (Tokens: (double)batch.TokenCount, Memory: StepProbe.Memory(probe, shape, batch))).ToList();
        // What grows with the tokens is mapped at such lengths, however it was held here.
        HostBytes At(Func<StepMemory, HostBytes> part) => new(0,
            Math.Max(0, Polynomial([.. readings.Select(one => (one.Tokens, part(one.Memory).Sum))], load.Largest.TokenCount)));
        return readings[0].Memory with
        {
            Activations = At(one => one.Activations), Early = At(one => one.Early), Late = At(one => one.Late),
        };
    }

    private static double Flops(ProbeModel probe, ProbeShape shape, TokenBatch batch) =>
        FlopCount.TrainingStep(shape.Config, probe.ParameterCount, batch.Layout);

    /// <summary>The polynomial through some points, at another place (Lagrange's form).</summary>
    private static double Polynomial((double X, double Y)[] points, double x) => points.Sum(point => point.Y
        * points.Where(other => other.X != point.X).Aggregate(1.0, (product, other) => product * (x - other.X) / (point.X - other.X)));

    /// <summary>Trained bytes of the whole model over those of the cut-down one: what an update's time is proportional to.</summary>
    private static double Growth(ProbeModel probe, ProbeShape shape)
    {
        var trained = probe.Trained.Select(parameter => (parameter.Name, parameter.Value.ByteCount)).ToList();
        return shape.Whole(trained) / (double)Math.Max(1, trained.Sum(one => one.ByteCount));
    }

    private static double Seconds(
        IReadOnlyList<OperationTime> times, ProbeShape shape, StepLoad load, BatchWork tried, double growth) =>
        times.Sum(time => time.Seconds * time.Operation switch
        {
            _ when OncePerStep.Contains(time.Operation) => growth,
            nameof(LanguageModelHead) => load.MicroBatches * load.Mean.Labels / Math.Max(1, tried.Labels),
            nameof(Embedding) => load.MicroBatches * load.Mean.Tokens / tried.Tokens,
            nameof(Attention) => load.MicroBatches * shape.LayerRatio * load.Mean.Pairs / Math.Max(1, tried.Pairs),
            _ => load.MicroBatches * shape.LayerRatio * load.Mean.Tokens / tried.Tokens,
        });
}
