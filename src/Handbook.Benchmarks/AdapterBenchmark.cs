using System.Diagnostics;
using Handbook.Autograd;
using Handbook.Autograd.Quantization;
using Handbook.Data.Packing;
using Handbook.Models;
using Handbook.Models.Adapters;
using Handbook.Models.Configuration;
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
    string Shape, int SequenceLength, int BatchSize, int Rank, Precision Precision, bool Recompute, int Steps)
{
    /// <summary>Names of <see cref="AdapterBenchmark.Kinds"/>; the others' steps are held against the first's.</summary>
    public IReadOnlyList<string> Kinds { get; init; } = ["whole", "lora", "lora-dropout", "dora"];
}

/// <summary>One kind of training.</summary>
/// <param name="Name">What is trained.</param>
/// <param name="TrainedCount">Trained parameters.</param>
/// <param name="StepSeconds">The median step.</param>
/// <param name="Ratio">The median of the ratios to the first kind's step beside it.</param>
/// <param name="Operations">Time by operation over the counted steps.</param>
public sealed record AdapterTiming(
    string Name, long TrainedCount, double StepSeconds, double Ratio, IReadOnlyList<OperationTime> Operations);

/// <summary>What was measured.</summary>
/// <param name="Timings">Kind by kind.</param>
/// <param name="Steps">Steps of each that were counted.</param>
/// <param name="PeakMemory">Most resident bytes of the process: of a kind, where it was the only one.</param>
public sealed record AdapterBenchmarkResult(IReadOnlyList<AdapterTiming> Timings, int Steps, long PeakMemory);

/// <summary>
/// Times steps of a whole model, of adapters around it and of its kinds by turns, so that a busy machine slows all of them.
/// </summary>
public static class AdapterBenchmark
{
    private static readonly Dictionary<string, Kind> Known = new(StringComparer.Ordinal)
    {
        ["whole"] = new(null),
        ["lora"] = new(config => config),
        ["lora-dropout"] = new(config => config with { Dropout = 0.05 }),
        ["dora"] = new(config => config with { UseDora = true }),
        ["qlora"] = new(config => config) { Quantization = NormalFloat4 },
        ["qdora"] = new(config => config with { UseDora = true }) { Quantization = NormalFloat4 },
    };

    /// <summary>What can be measured, by name.</summary>
    public static IReadOnlyList<string> Kinds { get; } = [.. Known.Keys];

    private static QuantizationConfig NormalFloat4 => new() { Format = CodeFormat.NormalFloat4, DoubleQuantization = true };

    /// <summary>Measures.</summary>
    /// <param name="options">What to measure.</param>
    /// <param name="budget">The time it may take: turns that do not fit are left out.</param>
    /// <param name="stop">Ends it early.</param>
    /// <exception cref="UserErrorException">A kind is unknown.</exception>
    public static AdapterBenchmarkResult Run(AdapterBenchmarkOptions options, TimeBudget budget, CancellationToken stop = default)
    {
        var kinds = options.Kinds.Select(Find).ToList();
        budget.Progress.Note("a step of each that is not counted");
        var begin = Stopwatch.GetTimestamp();
        var trainings = new List<Training>();
        try
        {
            foreach (var kind in kinds)
            {
                trainings.Add(new Training(options, kind));
                trainings[^1].Step(0);
            }
            var turns = budget.Plan("turns", options.Steps, Stopwatch.GetElapsedTime(begin).TotalSeconds, besides: 0);
            var seconds = trainings.ConvertAll(_ => new double[turns]);
            trainings.ForEach(training => training.Times = new OperationTimes());
            for (var turn = 0; turn < turns; turn++)
            {
                stop.ThrowIfCancellationRequested();
                for (var i = 0; i < trainings.Count; i++)
                    seconds[i][turn] = trainings[i].Step(turn + 1);
                budget.Advance("turns", turn + 1, turns);
            }
            var timings = trainings.Select((training, i) => new AdapterTiming(
                options.Kinds[i], training.TrainedCount, Median(seconds[i]),
                Median([.. seconds[i].Zip(seconds[0], (one, first) => one / first)]), training.Times!.Totals()));
            return new AdapterBenchmarkResult([.. timings], turns, ResidentMemory.Peak());
        }
        finally
        {
            trainings.ForEach(training => training.Dispose());
        }
    }

    private static Kind Find(string name) => Known.TryGetValue(name, out var kind) ? kind
        : throw new UserErrorException(
            $"--kinds: {name} is none of {string.Join(", ", Kinds)}.{NearestName.Hint(name, Kinds)}");

    private static double Median(double[] values) => values.Order().ElementAt(values.Length / 2);

    /// <summary>What is trained.</summary>
    /// <param name="Change">Makes the adapter's settings of plain ones; null trains the whole model.</param>
    private sealed record Kind(Func<LoraConfig, LoraConfig>? Change)
    {
        /// <summary>Codes of the frozen weights; null leaves them as they are.</summary>
        internal QuantizationConfig? Quantization { get; init; }
    }

    /// <summary>A model in training, whole or by an adapter.</summary>
    private sealed class Training : IDisposable
    {
        private readonly CausalLanguageModel model;
        private readonly Adapter? adapter;
        private readonly IOptimizer optimizer;
        private readonly TrainingStep step;
        private readonly TokenBatch[] batch;

        internal Training(AdapterBenchmarkOptions options, Kind kind)
        {
            var dtype = options.Precision == Precision.Float32 ? DType.Float32 : DType.BFloat16;
            model = CausalLanguageModel.Create(ModelShape.Find(options.Shape), 1, dtype, quantization: kind.Quantization);
            var lora = new LoraConfig
            {
                Rank = options.Rank, Alpha = 2 * options.Rank, TargetModules = ModulePattern.OfText(ModulePattern.AllLinear, "--rank"),
            };
            adapter = kind.Change is null ? null : Adapter.Create(model, kind.Change(lora), 1, "--rank");
            ISavedWeights trained = adapter is null ? model : adapter;
            TrainedCount = trained.Parameters.Sum(parameter => parameter.Value.ElementCount);
            optimizer = OptimizerTable.Create(new OptimizationOptions { LearningRate = 1e-5 }, options.Precision, trained.Parameters, 1);
            var policy = new CausalPolicy(model, new ForwardOptions { Recompute = options.Recompute });
            step = new TrainingStep(new NextTokenObjective(policy), trained.Parameters, optimizer, maxGradNorm: 1, seed: 1);
            batch = [StepBenchmark.MakeBatch(options.SequenceLength, options.BatchSize, model.Config.VocabularySize)];
        }

        internal long TrainedCount { get; }

        /// <summary>Where its steps' time goes; null while nobody asks.</summary>
        internal OperationTimes? Times { get; set; }

        /// <summary>Seconds of a step.</summary>
        internal double Step(int number)
        {
            OperationTimes.Current = Times;
            Times?.Restart();
            var start = Stopwatch.GetTimestamp();
            step.Run(number, 1e-5, batch);
            OperationTimes.Current = null;
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
