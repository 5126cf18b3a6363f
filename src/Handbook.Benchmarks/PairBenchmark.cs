using System.Diagnostics;
using Handbook.Autograd;
using Handbook.Data.Packing;
using Handbook.Models;
using Handbook.Torch;
using Handbook.Training.Loop;
using Handbook.Training.Objectives;
using Handbook.Training.Objectives.Preference;
using Handbook.Training.Optimizers;
using Handbook.Training.Options;
using Handbook.Training.Progress;
using Handbook.Training.ReferenceStore;

namespace Handbook.Benchmarks;

/// <summary>What to measure.</summary>
/// <param name="Shape">A name of <see cref="ModelShape"/>.</param>
/// <param name="Data">File of preference pairs.</param>
/// <param name="Tokenizer">Tokenizer folder; null trains one on the file.</param>
/// <param name="Pairs">Pairs of a micro-batch.</param>
/// <param name="MaxLength">Most tokens of a prompt with a completion.</param>
/// <param name="Precision">Numbers of compute and master weights.</param>
/// <param name="Batches">Micro-batches, chosen to stand for the file.</param>
/// <param name="WithMatrixRate">Measure the machine's matrix rate before and after, which takes seconds.</param>
public sealed record PairBenchmarkOptions(
    string Shape, string Data, string? Tokenizer, int Pairs, int MaxLength, Precision Precision, int Batches, bool WithMatrixRate = true);

/// <summary>
/// Times DPO over real pairs in three ways on one model: padded as TRL does it, packed, and packed with shared prompts. Each
/// micro-batch runs in all three ways there and back, since a shared machine's speed changes by the minute.
/// </summary>
public sealed class PairBenchmark
{
    private static readonly PairVariant[] Variants = Enum.GetValues<PairVariant>();
    private readonly PairBenchmarkOptions options;
    private readonly CausalLanguageModel model;
    private readonly PairBenchmarkData data;
    private readonly IReferenceLogps stored;
    private readonly OperationTimes[] operations = [.. Variants.Select(_ => new OperationTimes())];

    private PairBenchmark(PairBenchmarkOptions options, CausalLanguageModel model, PairBenchmarkData data, IReferenceLogps stored) =>
        (this.options, this.model, this.data, this.stored) = (options, model, data, stored);

    /// <summary>Measures.</summary>
    /// <param name="options">What to measure.</param>
    /// <param name="budget">The time it may take: micro-batches that do not fit are left out.</param>
    /// <param name="stop">Ends it early; the folder it works in is removed at once.</param>
    /// <exception cref="UserErrorException">Shape, file or tokenizer is wrong.</exception>
    public static PairBenchmarkResult Run(PairBenchmarkOptions options, TimeBudget budget, CancellationToken stop)
    {
        var folder = Directory.CreateTempSubdirectory("handbook-bench-").FullName;
        // Whoever stops a benchmark ends the process without waiting for the product that is being computed.
        using var removal = stop.Register(() => Remove(folder));
        try
        {
            return Run(options, folder, budget, stop);
        }
        finally
        {
            Remove(folder);
        }
    }

    private static void Remove(string folder)
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    private static PairBenchmarkResult Run(PairBenchmarkOptions options, string folder, TimeBudget budget, CancellationToken stop)
    {
        budget.Progress.Note("the machine's matrix rate, the file's tokens");
        var dtype = options.Precision.ComputeDType();
        var config = ModelShape.Find(options.Shape);
        var before = MatrixRate(options, dtype);
        using var model = CausalLanguageModel.Create(config, 1, dtype);
        var data = PairBenchmarkData.Read(
            options.Data, options.Tokenizer, model.Config.VocabularySize, options.MaxLength, options.Pairs, options.Batches, folder);
        data = Fitting(data, model, budget);
        var start = Stopwatch.GetTimestamp();
        using var stored = Store(data, model, new ReferenceKey(ReferenceKey.OfNew(config, 1), dtype, options.Data), folder,
            budget.Progress, stop);
        var storeSeconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var benchmark = new PairBenchmark(options, model, data, stored);
        var batches = benchmark.Batches(budget, stop);
        return new PairBenchmarkResult
        {
            Batches = batches,
            Tokenizer = data.TokenizerName,
            FileTokens = data.FileTokens,
            OptimizerSeconds = benchmark.OptimizerSeconds(),
            StoreSeconds = storeSeconds,
            MatrixFlops = Math.Max(before, MatrixRate(options, dtype)),
            ModelBytes = model.Parameters.Sum(parameter => parameter.Value.ByteCount),
            Operations = [.. benchmark.operations.Select(times => times.Totals())],
        };
    }

    /// <summary>
    /// The micro-batches that fit into the time. A forward pass tells what a place costs: forward and backward take three of it, each
    /// micro-batch runs in every way there and back and once more for the reference, and one runs uncounted.
    /// </summary>
    private static PairBenchmarkData Fitting(PairBenchmarkData data, CausalLanguageModel model, TimeBudget budget)
    {
        var probe = TokenBatch.Concatenate([.. data.Sample[0].Select(pair => pair.ToSharedPrefix())]);
        var seconds = Enumerable.Range(0, 2)
            .Min(_ => Seconds(() => new LiveReference(Policy(model)).TokenLogps(probe).Dispose())) / probe.TokenCount;
        var mean = Variants.Select(variant => data.Sample.Average(batch => PairBenchmarkData.PlaceCount(batch, variant))).ToArray();
        var once = seconds * (2 * 3 * mean.Sum() + 2 * mean[(int)PairVariant.Shared]);
        return data.Take(budget.Plan("micro-batches", data.Sample.Count, once,
            besides: once + 4 * 3 * seconds * mean[(int)PairVariant.Shared]));
    }

    private static double MatrixRate(PairBenchmarkOptions options, DType dtype) =>
        options.WithMatrixRate ? MachineRates.Measure(withMemory: false, dtype).MatrixFlops[dtype] : 0;

    private static StoredReference Store(
        PairBenchmarkData data, CausalLanguageModel model, ReferenceKey key, string folder, ITrainingProgress progress,
        CancellationToken stop)
    {
        var pairs = data.Sample.SelectMany(batch => batch).ToList();
        var rows = new TrainingRows(pairs.Count, pairs.Count, row => pairs[row].ToSharedPrefix(), row => pairs[row].TokenCount);
        // The policy has not moved yet: it is its own reference.
        return StoredReference.Open(
            new ReferenceStoreOptions { Key = key, Sets = [rows], CacheFolder = folder }, () => new ReferenceModel(Policy(model)),
            progress, TimeProvider.System, stop);
    }

    private static CausalPolicy Policy(CausalLanguageModel model) => new(model, ForwardOptions.Default);

    private List<PairBatchTimes> Batches(TimeBudget budget, CancellationToken stop)
    {
        // Once uncounted: memory is taken and code compiled.
        Measure(data.Sample[0], 0, counted: false);
        var times = new List<PairBatchTimes>();
        foreach (var pairs in data.Sample)
        {
            stop.ThrowIfCancellationRequested();
            // What the estimate did not know of is left out at the end.
            if (times.Count > 0 && budget.Left < 0)
                break;
            times.Add(Measure(pairs, times.Count, counted: true));
            budget.Advance("micro-batches", times.Count, data.Sample.Count);
        }
        return times;
    }

    private PairBatchTimes Measure(PreferencePair[] pairs, int turn, bool counted)
    {
        var packed = TokenBatch.Concatenate([.. pairs.Select(pair => pair.ToSequences())]);
        var shared = TokenBatch.Concatenate([.. pairs.Select(pair => pair.ToSharedPrefix())]);
        var (seconds, processor) = (new double[Variants.Length], new double[Variants.Length]);
        // Each way comes first in turn, so that none always follows another, and the ways run there and back: a machine that slows down
        // or speeds up meanwhile does so to all of them alike.
        int[] there = [.. Enumerable.Range(0, Variants.Length).Select(i => (turn + i) % Variants.Length)];
        foreach (var (place, variant) in there.Concat(there.Reverse()).Index())
        {
            OperationTimes.Current = counted && place < there.Length ? operations[variant] : null;
            OperationTimes.Current?.Restart();
            var before = Environment.CpuUsage.TotalTime;
            seconds[variant] += Seconds(() => Differentiate(Variants[variant], pairs, packed, shared)) / 2;
            processor[variant] += (Environment.CpuUsage.TotalTime - before).TotalSeconds / 2;
            OperationTimes.Current = null;
        }
        var live = Seconds(() => new LiveReference(Policy(model)).TokenLogps(shared).Dispose());
        var lookup = Seconds(() => stored.TokenLogps(shared).Dispose());
        return new PairBatchTimes(pairs.Length, [.. Variants.Select(variant => PairBenchmarkData.PlaceCount(pairs, variant))],
            seconds, processor, live, lookup);
    }

    private void Differentiate(PairVariant variant, PreferencePair[] pairs, TokenBatch packed, TokenBatch shared)
    {
        using (var scope = new TensorScope())
        using (var tape = new Tape())
        {
            var loss = variant == PairVariant.Padded
                ? new PaddedPairs(Policy(model), stored, new LossSettings()).Loss(tape, pairs, data.Padding)
                : Loss(tape, variant == PairVariant.Packed ? packed : shared);
            tape.Backward(loss);
        }
        Forget();
    }

    private Variable Loss(Tape tape, TokenBatch batch)
    {
        var objective = new PreferenceObjective(Policy(model), stored, new PreferenceOptions());
        using var step = objective.Begin([batch], StepTotals.Of([batch]));
        return step.Compute(tape, batch).Loss;
    }

    /// <summary>Median of three updates, with the gradient of one micro-batch.</summary>
    private double OptimizerSeconds()
    {
        using var optimizer = OptimizerTable.Create(new OptimizationOptions { LearningRate = 1e-6 }, options.Precision,
            model.Parameters, 1);
        var batch = data.Sample[0].Select(pair => pair.ToSharedPrefix()).ToArray();
        using (var scope = new TensorScope())
        using (var tape = new Tape())
            tape.Backward(Loss(tape, TokenBatch.Concatenate(batch)));
        Update();
        var seconds = Enumerable.Range(0, 3).Select(_ => Seconds(Update)).Order().ElementAt(1);
        Forget();
        return seconds;

        void Update() => optimizer.Step(1e-6, GradientNorm.ClipFactor(GradientNorm.Global(model.Parameters), 1));
    }

    private void Forget()
    {
        foreach (var parameter in model.Parameters)
            parameter.ZeroGrad();
    }

    private static double Seconds(Action work)
    {
        var start = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
