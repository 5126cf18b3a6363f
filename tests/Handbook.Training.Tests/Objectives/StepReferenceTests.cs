using Handbook.Data.Packing;
using Handbook.Torch;
using Handbook.Training.Objectives.Preference;

namespace Handbook.Training.Tests.Objectives;

public sealed class StepReferenceTests
{
    [Theory]
    [InlineData("dpo aot")]
    [InlineData("dpo sigmoid")]
    [InlineData("unpaired kto")]
    [InlineData("unpaired bco")]
    public void Compute_MicroBatches_AskTheReferenceOnceForEachSequence(string name)
    {
        var entry = ObjectiveCases.Find(name);
        using var scope = new TensorScope();
        using var models = new SmallModels(DType.Float32);
        var reference = new Counting(models.Packed.Reference);
        var objective = entry.Create(models.Packed with { Reference = reference });
        var rows = ObjectiveRun.Rows(entry.Kind, shared: true);

        ObjectiveRun.Of(objective, models.Model.Parameters, rows);

        Assert.Equal(rows.Concat(name == "unpaired kto" ? rows.Select(row => row.KlBatch!) : []).ToHashSet(), reference.Asked.ToHashSet());
        Assert.Equal(reference.Asked.Distinct().Count(), reference.Asked.Count);
        ObjectiveRun.Of(objective, models.Model.Parameters, rows);
        Assert.Equal(2 * reference.Asked.Distinct().Count(), reference.Asked.Count);
    }

    private sealed class Counting(IReferenceLogps inner) : IReferenceLogps
    {
        internal List<TokenBatch> Asked { get; } = [];

        public Tensor TokenLogps(TokenBatch batch)
        {
            Asked.Add(batch);
            return inner.TokenLogps(batch);
        }
    }
}
