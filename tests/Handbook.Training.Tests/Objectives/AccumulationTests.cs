using Handbook.Data.Packing;
using Handbook.Torch;

namespace Handbook.Training.Tests.Objectives;

/// <summary>
/// However a batch is cut into micro-batches, loss, metrics and gradients are those of the whole, for losses over the whole batch too.
/// </summary>
public sealed class AccumulationTests
{
    private const double Tolerance = 1e-5;

    public static TheoryData<string> Objectives() => ObjectiveCases.Names();

    [Theory]
    [MemberData(nameof(Objectives))]
    public void Compute_InMicroBatches_EqualsTheWholeBatch(string name)
    {
        var entry = ObjectiveCases.Find(name);
        using var scope = new TensorScope();
        using var models = new SmallModels(DType.Float32);
        var parameters = models.Parameters(entry.Kind);
        var rows = ObjectiveRun.Rows(entry.Kind, shared: true);

        var whole = ObjectiveRun.Of(entry.Create(models.Packed), parameters, TokenBatch.Concatenate(rows));
        var single = ObjectiveRun.Of(entry.Create(models.Packed), parameters, rows);
        var uneven = ObjectiveRun.Of(
            entry.Create(models.Packed), parameters, TokenBatch.Concatenate(rows[..1]), TokenBatch.Concatenate(rows[1..5]),
            TokenBatch.Concatenate(rows[5..]));

        whole.AssertNear(single, Tolerance, name + ", one row each");
        whole.AssertNear(uneven, Tolerance, name + ", cut unevenly");
    }
}
