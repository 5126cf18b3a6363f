using System.Globalization;
using System.Diagnostics;
using Handbook.Autograd;
using Handbook.Models;
using Handbook.Models.Generation;
using Handbook.Torch;
using Handbook.Training.Optimizers;

namespace Handbook.Benchmarks;

/// <summary>What to measure.</summary>
/// <param name="Shape">A name of <see cref="ModelShape"/>.</param>
/// <param name="DType">Element type of the weights.</param>
/// <param name="Batches">Sequences that grow together, one measurement each.</param>
/// <param name="PromptTokens">Tokens of a prompt.</param>
/// <param name="NewTokens">Tokens generated for each, at least 2.</param>
public sealed record GenerationBenchmarkOptions(string Shape, DType DType, IReadOnlyList<int> Batches, int PromptTokens, int NewTokens);

/// <summary>Generation of one batch.</summary>
/// <param name="Batch">Sequences that grow together.</param>
/// <param name="StepSeconds">Median time of a step, which gives every sequence a token.</param>
/// <param name="TotalSeconds">Prompts and all tokens.</param>
/// <param name="BytesPerStep">Weights and kept keys and values that a step must read, at the middle of the completion.</param>
public sealed record GenerationTime(int Batch, double StepSeconds, double TotalSeconds, double BytesPerStep)
{
    /// <summary>Tokens a second once the prompts are read.</summary>
    public double TokensPerSecond => Batch / StepSeconds;
}

/// <summary>What was measured.</summary>
/// <param name="Times">One a batch size.</param>
/// <param name="ReadBandwidth">Bytes a second that this machine reads from memory, the best of before, between and after.</param>
public sealed record GenerationBenchmarkResult(IReadOnlyList<GenerationTime> Times, double ReadBandwidth)
{
    /// <summary>Share of the limit that reading the weights once a step sets.</summary>
    public double BandwidthShare(GenerationTime time) => time.BytesPerStep / time.StepSeconds / ReadBandwidth;
}

/// <summary>
/// Times generation on a model with random weights. A step of few sequences can be no faster than its weights are read: the
/// memory's own rate is measured in the same process.
/// </summary>
public static class GenerationBenchmark
{
    private const long ReadBytes = 256L << 20;

    /// <summary>Measures.</summary>
    /// <param name="options">What to measure.</param>
    /// <param name="budget">The time it may take: with less of it, fewer tokens are generated.</param>
    /// <param name="stop">Ends it early.</param>
    /// <exception cref="UserErrorException">The shape is unknown, or a sequence would be longer than it allows.</exception>
    public static GenerationBenchmarkResult Run(GenerationBenchmarkOptions options, TimeBudget budget, CancellationToken stop = default)
    {
        using var model = CausalLanguageModel.Create(ModelShape.Find(options.Shape), 1, options.DType);
        if (options.PromptTokens + options.NewTokens > model.Config.MaxPositions)
            throw new UserErrorException(string.Create(CultureInfo.InvariantCulture,
                $"--prompt and --tokens: {options.PromptTokens} + {options.NewTokens} tokens "
                    + $"are more than the shape's {model.Config.MaxPositions}."));
        var bandwidth = MeasureReading();
        var times = new List<GenerationTime>();
        // Twice: the first time memory is taken and code compiled.
        var trial = Enumerable.Range(0, 2).Select(_ => Measure(model, options with { NewTokens = 3 }, 1, stop)).Last();
        // A step of many sequences takes longer than one of a few, but never as much longer as they are more; prompts are read one by one.
        var step = options.Batches.Sum(batch => trial.StepSeconds * Math.Sqrt(batch));
        var prompts = options.Batches.Sum() * Math.Max(0, trial.TotalSeconds - 3 * trial.StepSeconds);
        var tokens = Math.Max(2, budget.Plan("tokens a sequence", options.NewTokens, step, prompts));
        foreach (var batch in options.Batches)
        {
            times.Add(Measure(model, options with { NewTokens = tokens }, batch, stop));
            bandwidth = Math.Max(bandwidth, MeasureReading());
            budget.Advance("batch sizes", times.Count, options.Batches.Count);
        }
        return new GenerationBenchmarkResult(times, bandwidth);
    }

    /// <summary>Times one batch.</summary>
    /// <param name="model">The model.</param>
    /// <param name="options">Lengths of prompts and completions.</param>
    /// <param name="batch">Sequences that grow together.</param>
    /// <param name="stop">Ends it early.</param>
    public static GenerationTime Measure(
        CausalLanguageModel model, GenerationBenchmarkOptions options, int batch, CancellationToken stop = default)
    {
        var marks = new List<long>();
        var requests = Enumerable.Range(0, batch).Select(request => new GenerationRequest
        {
            Prompt = Prompt(request, options.PromptTokens, model.Config.VocabularySize),
            MaxNewTokens = options.NewTokens,
            StopTokens = [],
            // The last request gets its token last in every step.
            OnToken = request == batch - 1 ? (_, _) => marks.Add(Stopwatch.GetTimestamp()) : null,
        }).ToList();
        var start = Stopwatch.GetTimestamp();
        new Generator(model, new GeneratorOptions { MaxBatch = batch }).Run(requests, cancellation: stop);
        var total = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var steps = marks.Zip(marks.Skip(1), (from, to) => Stopwatch.GetElapsedTime(from, to).TotalSeconds).Order().ToList();
        return new GenerationTime(batch, steps[steps.Count / 2], total, BytesPerStep(model, options, batch));
    }

    /// <summary>Random tokens.</summary>
    /// <param name="request">Whose they are: another one's are others.</param>
    /// <param name="length">How many.</param>
    /// <param name="vocabulary">Tokens that there are.</param>
    public static int[] Prompt(int request, int length, int vocabulary)
    {
        var random = new RandomStream(11);
        return [.. Enumerable.Range(0, length).Select(i => (int)(random.Bits((ulong)(request * length + i)) % (ulong)vocabulary))];
    }

    private static double BytesPerStep(CausalLanguageModel model, GenerationBenchmarkOptions options, int batch)
    {
        var config = model.Config;
        var embedding = config.Head.IsTied
            ? 0 : model.Decoder.Embedding.Table.Weight.Parameters.Sum(parameter => parameter.Value.ByteCount);
        var weights = model.Parameters.Sum(parameter => parameter.Value.ByteCount) - embedding;
        // Keys and values are kept in float32.
        var kept = config.Layers.Sum(layer => 2.0 * layer.Attention.KeyValueHeadCount * layer.Attention.HeadDim) * sizeof(float);
        return weights + batch * kept * (options.PromptTokens + options.NewTokens / 2.0);
    }

    private static double MeasureReading()
    {
        using var scope = new TensorScope();
        var data = Tensor.Zeros([ReadBytes / sizeof(float)], DType.Float32);
        return ReadBytes / Enumerable.Range(0, 5).Min(_ =>
        {
            var start = Stopwatch.GetTimestamp();
            GradientNorm.SumOfSquares(data);
            return Stopwatch.GetElapsedTime(start).TotalSeconds;
        });
    }
}
