using System.Diagnostics;
using Handbook.Autograd;
using Handbook.Data.Packing;
using Handbook.Models;
using Handbook.Torch;
using Handbook.Training.Loop;
using Handbook.Training.Objectives;
using Handbook.Training.Optimizers;
using Handbook.Training.Options;

namespace Handbook.Benchmarks;

/// <summary>What to measure.</summary>
/// <param name="Shape">A name of <see cref="ModelShape"/>.</param>
/// <param name="SequenceLength">Tokens of a document.</param>
/// <param name="BatchSize">Documents of a step.</param>
/// <param name="Precision">Numbers of compute and master weights.</param>
/// <param name="Recompute">Recompute activations in the backward pass.</param>
/// <param name="Steps">Steps that are counted, after one that is not.</param>
public sealed record StepBenchmarkOptions(string Shape, int SequenceLength, int BatchSize, Precision Precision, bool Recompute, int Steps);

/// <summary>What was measured.</summary>
/// <param name="ParameterCount">Weights of the model.</param>
/// <param name="TokensPerSecond">Tokens of the median step over its time.</param>
/// <param name="StepSeconds">The median step.</param>
/// <param name="UsefulFlops">Floating-point operations a second that the step needs, recomputation not counted.</param>
/// <param name="Rates">The machine's own rates, the better of before and after.</param>
/// <param name="PeakMemory">Most resident bytes of the process.</param>
/// <param name="Steps">Steps that were counted.</param>
/// <param name="Operations">Time by operation over the counted steps.</param>
public sealed record StepBenchmarkResult(
    long ParameterCount, double TokensPerSecond, double StepSeconds, double UsefulFlops, MachineRates Rates, long PeakMemory, int Steps,
    IReadOnlyList<OperationTime> Operations)
{
    /// <summary>Model FLOPs utilisation: the useful rate over the machine's own matrix rate in the same numbers.</summary>
    public double Utilisation(DType dtype) => UsefulFlops / Rates.MatrixFlops[dtype];
}

/// <summary>
/// Times supervised fine-tuning steps on a model with random weights, against the machine's matrix rate in the same process.
/// </summary>
public static class StepBenchmark
{
    /// <summary>Measures.</summary>
    /// <param name="options">What to measure.</param>
    /// <param name="budget">The time it may take: steps that do not fit are left out.</param>
    /// <param name="stop">Ends it early.</param>
    public static StepBenchmarkResult Run(StepBenchmarkOptions options, TimeBudget budget, CancellationToken stop = default)
    {
        budget.Progress.Note("the machine's rates, and a step that is not counted");
        var begin = Stopwatch.GetTimestamp();
        var dtype = options.Precision.ComputeDType();
        // The memory rate's buffers would count in the peak: it is measured after the steps only.
        var before = MachineRates.Measure(withMemory: false, dtype);
        using var model = CausalLanguageModel.Create(ModelShape.Find(options.Shape), 1, dtype);
        using var optimizer = OptimizerTable.Create(new OptimizationOptions { LearningRate = 1e-5 }, options.Precision,
            model.Parameters, 1);
        var policy = new CausalPolicy(model, new ForwardOptions { Recompute = options.Recompute });
        var step = new TrainingStep(new NextTokenObjective(policy), model.Parameters, optimizer, maxGradNorm: 1, seed: 1);
        TokenBatch[] batch = [MakeBatch(options.SequenceLength, options.BatchSize, model.Config.VocabularySize)];

        var rates = Stopwatch.GetElapsedTime(begin).TotalSeconds;
        begin = Stopwatch.GetTimestamp();
        step.Run(0, 1e-5, batch);
        var times = new OperationTimes();
        var seconds = new double[budget.Plan("steps", options.Steps, Stopwatch.GetElapsedTime(begin).TotalSeconds, besides: 2 * rates)];
        for (var i = 0; i < seconds.Length; i++)
        {
            stop.ThrowIfCancellationRequested();
            OperationTimes.Current = times;
            times.Restart();
            var start = Stopwatch.GetTimestamp();
            step.Run(i + 1, 1e-5, batch);
            seconds[i] = Stopwatch.GetElapsedTime(start).TotalSeconds;
            OperationTimes.Current = null;
            budget.Advance("steps", i + 1, seconds.Length);
        }
        var peak = ResidentMemory.Peak();
        Array.Sort(seconds);
        var median = seconds[seconds.Length / 2];
        var flops = FlopCount.TrainingStep(model.Config, model.ParameterCount, batch[0].Layout);
        return new StepBenchmarkResult(
            model.ParameterCount, batch[0].TokenCount / median, median, flops / median,
            MachineRates.Best(before, MachineRates.Measure(withMemory: true, dtype)), peak, seconds.Length, times.Totals());
    }

    /// <summary>Documents of random tokens, all of them labels.</summary>
    internal static TokenBatch MakeBatch(int length, int documents, int vocabulary)
    {
        var tokens = new int[length * documents];
        for (var i = 0; i < tokens.Length; i++)
            tokens[i] = (int)(new RandomStream(7).Bits((ulong)i) % (ulong)vocabulary);
        var mask = new bool[tokens.Length];
        Array.Fill(mask, true);
        var lengths = Enumerable.Repeat(length, documents).ToArray();
        return new TokenBatch(tokens, mask, SequenceLayout.Documents(lengths), [.. Enumerable.Range(0, documents)]);
    }
}
