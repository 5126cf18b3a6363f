using Handbook.Data.Packing;
using Handbook.Data.Store;
using Handbook.Models;
using Handbook.Training.Loop;
using Handbook.Training.Options;
using Handbook.Training.Runs;
using Handbook.Training.Schedules;

namespace Handbook.Training.Planning;

/// <summary>How much a run's steps compute.</summary>
/// <param name="Largest">The micro-batch with the most tokens.</param>
/// <param name="Mean">What a micro-batch holds on average.</param>
/// <param name="MicroBatches">Micro-batches of a step.</param>
/// <param name="Steps">Optimizer steps of the run; null when nobody knows.</param>
public sealed record StepLoad(TokenBatch Largest, BatchWork Mean, int MicroBatches, int? Steps)
{
    private const int Sampled = 64;
    private const int MostCounted = 100_000;

    /// <summary>The load of prepared data.</summary>
    /// <exception cref="UserErrorException">There is no row to train on.</exception>
    public static StepLoad Of(RunOptions options, TokenStore data)
    {
        var rows = TrainingMethod.Of(options.Task).Rows(data.Train);
        var batches = RunBatches.Of(options, rows);
        var steps = TrainingSteps.Total(batches.StepsPerEpoch, options.Optimization.Epochs, options.Optimization.MaxSteps ?? 0);
        var counted = Enumerable.Range(0, Math.Min(steps, Math.Min(batches.StepsPerEpoch, MostCounted)))
            .SelectMany(batches.MicroBatches).ToList();
        var lengths = counted.ConvertAll(micro => micro.Sum(row => (long)rows.Length(row)));
        var largest = lengths.IndexOf(lengths.Max());
        // Evenly over the epoch: lengths of like rows may follow each other.
        var sample = Enumerable.Range(0, Math.Min(Sampled, counted.Count))
            .Select(i => BatchWork.Of(rows.Batch(counted[(int)((long)i * counted.Count / Math.Min(Sampled, counted.Count))]))).ToList();
        var mean = BatchWork.Mean(sample);
        return new StepLoad(rows.Batch(counted[largest]), mean.Scaled(lengths.Average() / sample.Average(LengthOf)),
            options.Optimization.GradientAccumulation, steps);

        // A row's length leaves out the mismatched completions of KTO, and so does this.
        static double LengthOf(BatchWork work) => work.RowTokens;
    }

    /// <summary>The load of rows that all have the same length; a pair's is that of its prompt with one answer, half and half.</summary>
    /// <param name="options">The run.</param>
    /// <param name="tokens">The length, at least 4.</param>
    public static StepLoad OfLength(RunOptions options, int tokens)
    {
        var method = TrainingMethod.Of(options.Task);
        var row = method.Data switch
        {
            StoreKind.Pairs => Completions(tokens, 2),
            StoreKind.Verdicts => Completions(tokens, 1),
            _ => Document(tokens),
        };
        var batch = TokenBatch.Concatenate([.. Enumerable.Repeat(row, options.Optimization.PerDeviceBatchSize)]);
        return new StepLoad(batch, BatchWork.Of(batch), options.Optimization.GradientAccumulation, options.Optimization.MaxSteps);
    }

    private static TokenBatch Document(int tokens)
    {
        var mask = new bool[tokens];
        Array.Fill(mask, true);
        return new TokenBatch(Ids(tokens), mask, SequenceLayout.Documents([tokens]), [0]);
    }

    private static TokenBatch Completions(int tokens, int count)
    {
        var (prompt, answer) = (tokens / 2, tokens - tokens / 2);
        var segments = new List<Segment> { new(0, prompt) };
        for (var i = 0; i < count; i++)
            segments.Add(new Segment(prompt + i * answer, answer, prompt, 0));
        var total = prompt + count * answer;
        var mask = new bool[total];
        mask.AsSpan(prompt).Fill(true);
        TokenBatch Make() => new(Ids(total), [.. mask], new SequenceLayout([.. segments]), [0], [.. Enumerable.Range(1, count)])
        {
            Desirable = count == 1 ? [true] : [],
        };
        var batch = Make();
        return count == 2 ? batch : new TokenBatch(batch.TokenIds, batch.LossMask, batch.Layout, batch.ExampleIds, batch.Completions)
        {
            Desirable = batch.Desirable, KlBatch = Make(),
        };
    }

    // Which tokens they are costs nothing; that they differ may.
    private static int[] Ids(int count) => [.. Enumerable.Range(0, count).Select(i => i * 7 % 251)];
}
