using Handbook.Autograd;
using Handbook.Data.Packing;
using Handbook.Torch;
using Handbook.Training.Loop;

namespace Handbook.Training.Planning;

/// <summary>Runs real training steps of a cut-down model and looks at what they hold and how long they take.</summary>
internal static class StepProbe
{
    private const double LeastSeconds = 2;
    private const int MostRuns = 5;

    /// <summary>What a step holds.</summary>
    /// <param name="probe">The model.</param>
    /// <param name="shape">How it was cut down.</param>
    /// <param name="batch">A micro-batch.</param>
    internal static StepMemory Memory(ProbeModel probe, ProbeShape shape, TokenBatch batch)
    {
        using var memory = new TensorMemory();
        var (microBatches, passes) = (MicroBatches(probe, batch), 0);
        HostBytes entered = default, kept = default;
        HostBytes? early = null;
        var held = new List<HostBytes>();
        var gradients = new Dictionary<string, long>();
        var objective = new WatchedObjective(probe.Objective(_ => held.Add(memory.Held)), () =>
        {
            // The last micro-batch counts: gradients of those before it lie there already.
            (entered, early, passes) = (memory.Held, null, passes + 1);
            held.Clear();
            memory.TakePeak();
        }, () => kept = memory.Held - entered);
        void Completed(Parameter parameter)
        {
            if (passes == microBatches.Length && shape.LayerOf(parameter.Name) == 0)
                early ??= memory.TakePeak();
            gradients[parameter.Name] = parameter.Grad?.ByteCount ?? 0;
        }

        var listeners = probe.Trained.Select(parameter => (parameter, Listener: (Action)(() => Completed(parameter)))).ToList();
        listeners.ForEach(one => one.parameter.GradientCompleted += one.Listener);
        try
        {
            new TrainingStep(objective, probe.Trained, probe.Optimizer, 1, 0).Run(0, 0, microBatches);
        }
        finally
        {
            listeners.ForEach(one => one.parameter.GradientCompleted -= one.Listener);
        }
        early ??= memory.TakePeak();
        var all = gradients.Values.Aggregate(default(HostBytes), (sum, bytes) => sum + HostBytes.Of(bytes));
        var whole = shape.WholeHeld(gradients.Select(one => (one.Key, one.Value)));
        var isWaiting = microBatches.Length > 1;
        return new StepMemory(
            isWaiting ? whole : default, kept + shape.Added(Increments(held)), HostBytes.Max(default, early.Value - entered - kept), whole,
            HostBytes.Max(default, memory.TakePeak() - (isWaiting ? entered - all : entered) - all));
    }

    /// <summary>
    /// How long the operations of a step take, each in the median of several runs, which on a shared machine differ; the first run is not
    /// counted.
    /// </summary>
    internal static IReadOnlyList<OperationTime> Times(ProbeModel probe, TokenBatch batch)
    {
        var step = new TrainingStep(probe.Objective(null), probe.Trained, probe.Optimizer, 1, 0);
        TokenBatch[] microBatches = [batch];
        step.Run(0, 0, microBatches);
        var runs = new List<IReadOnlyList<OperationTime>>();
        var outer = OperationTimes.Current;
        try
        {
            do
            {
                var times = OperationTimes.Current = new OperationTimes();
                step.Run(runs.Count + 1, 0, microBatches);
                runs.Add(times.Totals());
            }
            while (runs.Count < MostRuns && runs.Sum(run => run.Sum(time => time.Seconds)) < LeastSeconds);
        }
        finally
        {
            OperationTimes.Current = outer;
        }
        return
        [
            .. runs.SelectMany(run => run).GroupBy(time => (time.Operation, time.Pass))
                .Select(operation => operation.OrderBy(time => time.Seconds).ElementAt(operation.Count() / 2)),
        ];
    }

    // Losses over a whole batch, and gradients that wait for a second micro-batch, show with two.
    private static TokenBatch[] MicroBatches(ProbeModel probe, TokenBatch batch) =>
        probe.Options.Optimization.GradientAccumulation > 1 ? [batch, batch] : [batch];

    /// <summary>What each layer added: sights are after the embedding, after each layer, and after the final norm.</summary>
    private static HostBytes[] Increments(List<HostBytes> held) =>
        [.. Enumerable.Range(1, held.Count - 2).Select(i => held[i] - held[i - 1])];
}
