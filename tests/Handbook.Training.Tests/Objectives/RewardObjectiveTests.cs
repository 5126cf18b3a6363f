using Handbook.Autograd;
using Handbook.Data.Packing;
using Handbook.Models;
using Handbook.Torch;
using Handbook.Training.Artefacts;
using Handbook.Training.Objectives.RewardModel;
using Handbook.Training.Options;

namespace Handbook.Training.Tests.Objectives;

public sealed class RewardObjectiveTests
{
    [Fact]
    public void Compute_MarginsOfSomePairs_CountAsZeroForTheOthers()
    {
        using var scope = new TensorScope();
        PreferencePair[] pairs = [new([1], [2], [3], 0, 0.5), new([1], [4], [5], 1)];
        var batch = TokenBatch.Concatenate([.. pairs.Select(pair => pair.ToSharedPrefix())]);
        var objective = new RewardObjective(new GivenScores(1, 0, -1, 1), new PreferenceOptions());

        var run = ObjectiveRun.Of(objective, [], batch);

        Assert.Equal((Softplus(-0.5) + Softplus(2)) / 2, run.Loss, 1e-12);
        Assert.Equal(0.5, run.Metrics[MetricNames.Accuracy]);
        Assert.Equal(-0.5, run.Metrics[MetricNames.Margin]);
        Assert.Equal((-1.0, 0.25, 1.0),
            (run.Metrics[MetricNames.MinReward], run.Metrics[MetricNames.MeanReward], run.Metrics[MetricNames.MaxReward]));
    }

    [Fact]
    public void Score_BFloat16Weights_GiveScoresInFloat32()
    {
        using var scope = new TensorScope();
        using var models = new SmallModels(DType.BFloat16);
        using var tape = new Tape();
        var batch = RandomCompletions.Pairs()[0].ToSharedPrefix();

        var scores = new ClassifierRewardModel(models.Classifier, ForwardOptions.Default).Score(tape, batch, [batch.TokenCount - 1]);

        Assert.Equal(DType.Float32, scores.Value.DType);
        Assert.NotEqual(scores.Value.To(DType.BFloat16).Item(), scores.Value.Item());
    }

    private static double Softplus(double x) => Math.Log(1 + Math.Exp(x));

    private sealed class GivenScores(params double[] scores) : IRewardModel
    {
        public Variable Score(Tape tape, TokenBatch batch, ReadOnlySpan<int> rows) => new(Tensor.From(scores), requiresGrad: true);
    }
}
