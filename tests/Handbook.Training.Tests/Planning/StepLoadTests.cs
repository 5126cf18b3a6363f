using Handbook.Data.Packing;
using Handbook.Training.Options;
using Handbook.Training.Planning;

namespace Handbook.Training.Tests.Planning;

public class StepLoadTests
{
    [Theory]
    [InlineData("cpt", 100, 100, 0)]
    [InlineData("dpo", 100, 150, 2)]
    [InlineData("kto", 100, 100, 1)]
    public void OfLength_MakesRowsOfTheMethod(string task, int tokens, int inRow, int completions)
    {
        var load = StepLoad.OfLength(Options(task, rows: 3), tokens);
        Assert.Equal(3 * inRow, load.Largest.TokenCount);
        Assert.Equal(3 * completions, load.Largest.Completions.Length);
        Assert.Equal(task == "kto", load.Largest.KlBatch is not null);
        Assert.Equal(3 * inRow * (task == "kto" ? 2 : 1), load.Mean.Tokens);
    }

    [Theory]
    [InlineData("cpt")]
    [InlineData("dpo")]
    [InlineData("kto")]
    public void Shrink_KeepsTheForm(string task)
    {
        var batch = StepLoad.OfLength(Options(task, rows: 4), 4000).Largest;
        var small = batch.Shrink(500);
        Assert.InRange(small.TokenCount, 480, 520);
        Assert.Equal(batch.Layout.Segments.Length, small.Layout.Segments.Length);
        Assert.Equal(batch.Completions, small.Completions);
        Assert.InRange((double)small.LossTokenCount / small.TokenCount / ((double)batch.LossTokenCount / batch.TokenCount), 0.98, 1.02);
        if (batch.KlBatch is not null)
            Assert.InRange(small.KlBatch!.TokenCount, 480, 520);
    }

    [Fact]
    public void Shrink_OfManyShortRows_LeavesEachSomething()
    {
        var batch = new TokenBatch(new int[300], [.. Enumerable.Repeat(true, 300)],
            SequenceLayout.Documents([.. Enumerable.Repeat(3, 100)]), [0]);
        Assert.Equal(100, batch.Shrink(10).TokenCount);
    }

    private static RunOptions Options(string task, int rows) => new()
    {
        Task = task,
        Model = new ModelOptions { NameOrPath = "model", Precision = Precision.Float32 },
        Data = new DataOptions { Sources = [] },
        Optimization = new OptimizationOptions { LearningRate = 1, PerDeviceBatchSize = rows },
        Checkpoints = new CheckpointOptions { OutputDirectory = "out" },
    };
}
