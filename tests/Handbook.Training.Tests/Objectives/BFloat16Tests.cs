using Handbook.Data.Packing;
using Handbook.Torch;

namespace Handbook.Training.Tests.Objectives;

/// <summary>Objectives in the type that runs compute in.</summary>
public sealed class BFloat16Tests
{
    public static TheoryData<string> Objectives() => ObjectiveCases.Names();

    [Theory]
    [MemberData(nameof(Objectives))]
    public void Compute_BFloat16Weights_GivesAFiniteLossAndTheDirectionOfFloat32(string name)
    {
        var entry = ObjectiveCases.Find(name);
        using var scope = new TensorScope();
        using var narrow = new SmallModels(DType.BFloat16);
        using var wide = new SmallModels(DType.Float32);
        foreach (var (single, half) in wide.All.Zip(narrow.All))
            single.Replace(half.Value.To(DType.Float32));
        var batch = TokenBatch.Concatenate(ObjectiveRun.Rows(entry.Kind, shared: true));

        var expected = ObjectiveRun.Of(entry.Create(wide.Packed), wide.Parameters(entry.Kind), batch);
        var actual = ObjectiveRun.Of(entry.Create(narrow.Packed), narrow.Parameters(entry.Kind), batch);

        var cosine = Product(expected.Gradient,
            actual.Gradient) / Math.Sqrt(Product(expected.Gradient, expected.Gradient) * Product(actual.Gradient, actual.Gradient));
        Assert.InRange(cosine, 0.98, 1.0001);
        Assert.InRange(actual.Loss, expected.Loss - 0.1 * Math.Max(1, Math.Abs(expected.Loss)),
            expected.Loss + 0.1 * Math.Max(1, Math.Abs(expected.Loss)));
        Assert.All(actual.Metrics, metric => Assert.True(double.IsFinite(metric.Value), metric.Key));
    }

    private static double Product(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();
}
