using CsCheck;
using Handbook.Data.Packing;
using Handbook.Torch;

namespace Handbook.Training.Tests.Objectives;

/// <summary>
/// A shared prompt, packed with other pairs, changes nothing: loss, metrics and gradients are those of separate sequences.
/// </summary>
public sealed class SharedPrefixTests
{
    /// <summary>Relative, in float32.</summary>
    private const double Tolerance = 1e-5;

    public static TheoryData<string> Objectives() => ObjectiveCases.Names();

    public static TheoryData<string> ObjectivesOfPairs() =>
        ObjectiveCases.Names(entry => entry.Kind is RowKind.Pairs or RowKind.ScoredPairs);

    [Theory]
    [MemberData(nameof(Objectives))]
    public void Compute_SharedAndPacked_EqualsSeparateSequences(string name)
    {
        var entry = ObjectiveCases.Find(name);
        using var scope = new TensorScope();
        using var models = new SmallModels(DType.Float32);
        var parameters = models.Parameters(entry.Kind);

        var naive = ObjectiveRun.Of(entry.Create(models.Separate), parameters,
            TokenBatch.Concatenate(ObjectiveRun.Rows(entry.Kind, shared: false)));
        var packed = ObjectiveRun.Of(entry.Create(models.Packed), parameters,
            TokenBatch.Concatenate(ObjectiveRun.Rows(entry.Kind, shared: true)));

        naive.AssertNear(packed, Tolerance, name);
    }

    [Theory]
    [MemberData(nameof(ObjectivesOfPairs))]
    public void Compute_SharedAndPacked_EqualsWholeSequencesPacked(string name)
    {
        var entry = ObjectiveCases.Find(name);
        using var scope = new TensorScope();
        using var models = new SmallModels(DType.Float32);
        var parameters = models.Parameters(entry.Kind);
        var pairs = RandomCompletions.Pairs();

        var whole = ObjectiveRun.Of(entry.Create(models.Packed), parameters,
            TokenBatch.Concatenate([.. pairs.Select(pair => pair.ToSequences())]));
        var shared = ObjectiveRun.Of(entry.Create(models.Packed), parameters,
            TokenBatch.Concatenate([.. pairs.Select(pair => pair.ToSharedPrefix())]));

        whole.AssertNear(shared, Tolerance, name);
    }

    [Theory]
    [InlineData("dpo mixture")]
    [InlineData("orpo")]
    [InlineData("reward centred")]
    public void Compute_PairsOfAnyLengths_EqualSeparateSequences(string name)
    {
        var entry = ObjectiveCases.Find(name);
        using var models = new SmallModels(DType.Float32);
        var lengths = Gen.Select(Gen.Int[0, 12], Gen.Int[1, 9], Gen.Int[1, 9]).Array[1, 5];
        Gen.Select(Gen.ULong, lengths).Sample(
            (seed, sizes) =>
            {
                using var scope = new TensorScope();
                var parameters = models.Parameters(entry.Kind);
                // A first pair with labels: without any there is no gradient to compare.
                var pairs = RandomCompletions.Pairs(seed, sizes.Prepend((3, 4, 2)));
                var naive = ObjectiveRun.Of(
                    entry.Create(models.Separate), parameters,
                    TokenBatch.Concatenate([.. pairs.Select(pair => ObjectiveRun.Row(pair, entry.Kind, shared: false))]));
                var packed = ObjectiveRun.Of(
                    entry.Create(models.Packed), parameters,
                    TokenBatch.Concatenate([.. pairs.Select(pair => ObjectiveRun.Row(pair, entry.Kind, shared: true))]));
                naive.AssertNear(packed, Tolerance, name);
            },
            iter: 15, threads: 1);
    }
}
