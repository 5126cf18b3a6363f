using Handbook.Data.Packing;
using Handbook.Torch;
using Handbook.Training.Artefacts;
using Handbook.Training.Objectives.Preference;
using Handbook.Training.Options;

namespace Handbook.Training.Tests.Objectives;

public sealed class ContrastiveObjectiveTests
{
    [Fact]
    public void Compute_AlphaPo_IsSimPoWithoutLikelihood()
    {
        var options = new PreferenceOptions { AlphaPoAlpha = 0.25, Beta = 2 };
        var simpo = Run(options with { LossTypes = ["simpo"], CpoAlpha = 0 });
        var alphapo = Run(options with { LossTypes = ["alphapo"] });
        Assert.Equal(simpo.Loss, alphapo.Loss);
        Assert.DoesNotContain(MetricNames.NegativeLikelihood, alphapo.Metrics.Keys);
    }

    [Fact]
    public void Compute_CpoAlpha_AddsTheLikelihoodOfChosenAnswers()
    {
        var without = Run(new PreferenceOptions { CpoAlpha = 0 });
        var with = Run(new PreferenceOptions { CpoAlpha = 0.5 });
        Assert.Equal(without.Loss + 0.5 * 1.5, with.Loss, 1e-6);
        Assert.Equal(1.5, with.Metrics[MetricNames.NegativeLikelihood], 1e-6);
    }

    [Theory]
    [InlineData("sigmoide", "sigmoid")]
    [InlineData("kto", "sigmoid, hinge, ipo, simpo, alphapo")]
    public void Constructor_UnknownLoss_NamesWhatThereIs(string name, string expected)
    {
        var error = Assert.Throws<UserErrorException>(() => new ContrastiveObjective(new AnswerPolicy(_ => []),
            new PreferenceOptions { LossTypes = [name] }));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Constructor_SeveralLosses_Throws() =>
        Assert.Throws<UserErrorException>(() => new ContrastiveObjective(new AnswerPolicy(_ => []),
            new PreferenceOptions { LossTypes = ["sigmoid", "ipo"] }));

    private static ObjectiveRun Run(PreferenceOptions options)
    {
        using var scope = new TensorScope();
        var batch = TokenBatch.Concatenate([.. Enumerable.Range(0, 4).Select(AnswerPolicy.Row)]);
        return ObjectiveRun.Of(new ContrastiveObjective(new AnswerPolicy(_ => [-1, -3, -2, -1]), options), [], batch);
    }
}
