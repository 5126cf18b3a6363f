using Handbook.Torch;
using Handbook.Training.Artefacts;
using Handbook.Training.Checkpoints;
using Handbook.Training.Loop;
using Handbook.Training.Objectives;
using Handbook.Training.Progress;
using Handbook.Training.Tests.Objectives;
using Handbook.TestSupport;

namespace Handbook.Training.Tests.Loop;

/// <summary>What every rank of several sees, with threads in the place of processes.</summary>
public sealed class WorldTests
{
    private const int Ranks = 3;

    [Fact]
    public void MicroBatches_OfAllRanks_AreThoseOfOne()
    {
        var alone = new BatchSchedule(23, 2, 6, seed: 5);
        var shares = Threads.Run(Ranks, world => new BatchSchedule(23, 2, 2, seed: 5, world: world));
        Assert.All(shares, share => Assert.Equal(alone.StepsPerEpoch, share.StepsPerEpoch));
        for (var step = 0; step < 2 * alone.StepsPerEpoch; step++)
        {
            Assert.Equal(
                alone.MicroBatches(step).Select(rows => string.Join(' ', rows)).Order(),
                shares.SelectMany(share => share.MicroBatches(step)).Select(rows => string.Join(' ', rows)).Order());
        }
    }

    [Fact]
    public void Totals_OfAllRanks_AreThoseOfOne()
    {
        var rows = ObjectiveRun.Rows(RowKind.PairsWithPromptLabels, shared: true);
        var alone = StepTotals.Of(rows);
        var shares = Threads.Run(Ranks, world => StepTotals.Of([.. rows.Where((_, i) => i % Ranks == world.Rank)], world));
        Assert.All(shares, share => Assert.Equal(alone, share));
    }

    [Fact]
    public void Evaluation_ByAllRanks_IsThatOfOne()
    {
        using var scope = new TensorScope();
        using var models = new SmallModels(DType.Float64);
        var rows = ObjectiveRun.Rows(RowKind.Pairs, shared: true);
        MetricsRow Measure(World? world) => new Evaluator(
            ObjectiveCases.Find("dpo sigmoid").Create(models.Packed),
            new TrainingRows(rows.Length, rows.Length, row => rows[row], row => rows[row].TokenCount), 1,
            TimeProvider.System, world).Run(0, 0, new SilentProgress(), CancellationToken.None);

        var alone = Measure(null);
        foreach (var share in Threads.Run(2, Measure))
        {
            foreach (var name in new[] { "eval_loss", "eval_rewards/margins", "eval_logps/chosen" })
                Assert.Equal(alone[name]!.Value, share[name]!.Value, 1e-9);
        }
    }

    [Fact]
    public void Save_ByAllRanks_IsMadeOnceAndSeenByAll()
    {
        using var folder = new TemporaryFolder();
        var written = 0;
        var seen = Threads.Run(Ranks, world =>
        {
            new CheckpointStore(folder.Path, world).Save(4, path =>
            {
                Interlocked.Increment(ref written);
                File.WriteAllText(Path.Combine(path, "a"), "b");
            });
            return File.Exists(Path.Combine(folder.Path, "checkpoint-4", "a"));
        });
        Assert.Equal(1, written);
        Assert.DoesNotContain(false, seen);
    }

    /// <summary>Ranks that are threads of this process.</summary>
    private sealed class Threads(int rank, int size, Barrier barrier, double[][] shared) : World
    {
        public override int Rank => rank;

        public override int Size => size;

        internal static T[] Run<T>(int size, Func<World, T> body)
        {
            using var barrier = new Barrier(size);
            var (shared, results) = (new double[size][], new T[size]);
            var threads = Enumerable.Range(0, size)
                .Select(rank => new Thread(() => results[rank] = body(new Threads(rank, size, barrier, shared)))).ToList();
            threads.ForEach(thread => thread.Start());
            threads.ForEach(thread => thread.Join());
            return results;
        }

        public override void Sum(Span<double> values)
        {
            shared[rank] = values.ToArray();
            barrier.SignalAndWait();
            for (var i = 0; i < values.Length; i++)
                values[i] = shared.Sum(other => other[i]);
            barrier.SignalAndWait();
        }

        public override void Barrier() => barrier.SignalAndWait();
    }
}
