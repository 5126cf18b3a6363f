using System.Diagnostics;
using Handbook.Data.Packing;
using Handbook.Models;
using Handbook.Models.Adapters;
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
/// <param name="Rank">Width of the adapters on all linear layers.</param>
/// <param name="Precision">Numbers of compute.</param>
/// <param name="Recompute">Recompute activations in the backward pass.</param>
/// <param name="Steps">Steps of each kind that are counted, after one that is not.</param>
public sealed record AdapterBenchmarkOptions(
    string Shape, int SequenceLength, int BatchSize, int Rank, Precision Precision, bool Recompute, int Steps);

/// <summary>One kind of training.</summary>
/// <param name="Name">What is trained.</param>
/// <param name="TrainedCount">Trained parameters.</param>
/// <param name="StepSeconds">The median step.</param>
/// <param name="Ratio">The median of the ratios to the whole model's step beside it.</param>
public sealed record AdapterTiming(string Name, long TrainedCount, double StepSeconds, double Ratio);

/// <summary>
/// Times steps of a whole model, of adapters around it and of its kinds by turns, so that a busy machine slows all of them.
/// </summary>
public static class AdapterBenchmark
{
    private static readonly (string Name, Func<LoraConfig, LoraConfig>? Change)[] Kinds =
    [
        ("whole model", null),
        ("lora", config => config),
        ("lora, dropout 0.05", config => config with { Dropout = 0.05 }),
        ("dora", config => config with { UseDora = true }),
    ];

    /// <summary>Measures.</summary>
    /// <param name="options">What to measure.</param>
    /// <param name="budget">The time it may take: turns that do not fit are left out.</param>
    /// <param name="stop">Ends it early.</param>
    public static IReadOnlyList<AdapterTiming> Run(AdapterBenchmarkOptions options, TimeBudget budget, CancellationToken stop = default)
    {
        budget.Progress.Note("a step of each that is not counted");
        var begin = Stopwatch.GetTimestamp();
        var trainings = Kinds.Select(kind => new Training(options, kind.Change)).ToList();
        try
        {
            trainings.ForEach(training => training.Step(0));
            var turns = budget.Plan("turns", options.Steps, Stopwatch.GetElapsedTime(begin).TotalSeconds, besides: 0);
            var seconds = trainings.ConvertAll(_ => new double[turns]);
            for (var turn = 0; turn < turns; turn++)
            {
                stop.ThrowIfCancellationRequested();
                for (var i = 0; i < trainings.Count; i++)
                    seconds[i][turn] = trainings[i].Step(turn + 1);
                budget.Advance("turns", turn + 1, turns);
            }
            return [.. trainings.Select((training, i) => new AdapterTiming(Kinds[i].Name, training.TrainedCount, Median(seconds[i]),
                Median([.. seconds[i].Zip(seconds[0], (one, whole) => one / whole)])))];
        }
        finally
        {
            trainings.ForEach(training => training.Dispose());
        }
    }

    private static double Median(double[] values) => values.Order().ElementAt(values.Length / 2);

    /// <summary>A model in training, whole or by an adapter.</summary>
    private sealed class Training : IDisposable
    {
        private readonly CausalLanguageModel model;
        private readonly Adapter? adapter;
        private readonly IOptimizer optimizer;
        private readonly TrainingStep step;
        private readonly TokenBatch[] batch;

        internal Training(AdapterBenchmarkOptions options, Func<LoraConfig, LoraConfig>? change)
        {
            var dtype = options.Precision == Precision.Float32 ? DType.Float32 : DType.BFloat16;
            model = CausalLanguageModel.Create(ModelShape.Find(options.Shape), 1, dtype);
            var lora = new LoraConfig
            {
                Rank = options.Rank, Alpha = 2 * options.Rank, TargetModules = ModulePattern.OfText(ModulePattern.AllLinear, "--rank"),
            };
            adapter = change is null ? null : Adapter.Create(model, change(lora), 1, "--rank");
            ISavedWeights trained = adapter is null ? model : adapter;
            TrainedCount = trained.Parameters.Sum(parameter => parameter.Value.ElementCount);
            optimizer = OptimizerTable.Create(new OptimizationOptions { LearningRate = 1e-5 }, options.Precision, trained.Parameters, 1);
            var policy = new CausalPolicy(model, new ForwardOptions { Recompute = options.Recompute });
            step = new TrainingStep(new NextTokenObjective(policy), trained.Parameters, optimizer, maxGradNorm: 1, seed: 1);
            batch = [StepBenchmark.MakeBatch(options.SequenceLength, options.BatchSize, model.Config.VocabularySize)];
        }

        internal long TrainedCount { get; }

        /// <summary>Seconds of a step.</summary>
        internal double Step(int number)
        {
            var start = Stopwatch.GetTimestamp();
            step.Run(number, 1e-5, batch);
            return Stopwatch.GetElapsedTime(start).TotalSeconds;
        }

        public void Dispose()
        {
            optimizer.Dispose();
            model.Dispose();
            adapter?.Dispose();
        }
    }
}
