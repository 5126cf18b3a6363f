using Handbook.Data.Packing;
using Handbook.Torch;
using Handbook.Training.Artefacts;
using Handbook.Training.Objectives;
using Handbook.Training.Objectives.Preference;
using Handbook.Training.Objectives.Unpaired;
using Handbook.Training.Options;

namespace Handbook.Training.Tests.Objectives;

/// <summary>The mean of rewards that BCO carries from step to step.</summary>
public sealed class RewardMeanTests
{
    private static readonly PreferenceOptions Bco = new() { LossTypes = ["bco"], Beta = 0.5 };

    [Fact]
    public void Stepped_AfterAStep_CountsItsRewardsOnce()
    {
        using var scope = new TensorScope();
        var objective = Objective(-1, -3);
        Assert.Equal(-1, Mean(objective), 1e-9);
        objective.Stepped(1);
        Assert.Equal(-1, Mean(objective), 1e-9);
        Assert.Equal([-1.0, 2.0], State(objective));
    }

    [Fact]
    public void Compute_StepThatFailed_LeavesNoTrace()
    {
        using var scope = new TensorScope();
        var objective = Objective(-1, -3);
        Mean(objective);
        Mean(objective);
        objective.Stepped(1);
        Assert.Equal([-1.0, 2.0], State(objective));
    }

    [Fact]
    public void Compute_Evaluation_UsesTheMeanAndLeavesIt()
    {
        using var scope = new TensorScope();
        var objective = Objective(-1, -3);
        Assert.Equal(0, Mean(objective, isTraining: false));
        Mean(objective);
        objective.Stepped(1);
        Assert.Equal(-1, Mean(objective, isTraining: false), 1e-9);
        objective.Stepped(2);
        Assert.Equal([-1.0, 2.0], State(objective));
    }

    [Fact]
    public void Load_SavedState_GoesOnAsIfUninterrupted()
    {
        using var scope = new TensorScope();
        var first = Objective(-1, -3);
        Mean(first);
        first.Stepped(1);
        var saved = first.State().ToDictionary(entry => entry.Name, entry => entry.Tensor.Clone());
        var resumed = Objective(-2, -8);
        resumed.Load(name => saved.GetValueOrDefault(name));
        Assert.Equal((-0.5 - 1.5 - 1 - 4) / 4, Mean(resumed), 1e-9);
    }

    [Fact]
    public void Load_CheckpointWithoutMean_SaysSo()
    {
        var error = Assert.Throws<UserErrorException>(() => Objective(-1).Load(_ => null));
        Assert.Contains("reward_mean", error.Message, StringComparison.Ordinal);
    }

    private static UnpairedObjective Objective(params double[] logps) => new(new AnswerPolicy(_ => logps), new NoReference(), Bco);

    private static double[] State(UnpairedObjective objective) => objective.State().Single().Tensor.ToArray<double>();

    private static double Mean(UnpairedObjective objective, bool isTraining = true)
    {
        var rows = TokenBatch.Concatenate([AnswerPolicy.Row(0), AnswerPolicy.Row(1)]);
        var batch = new TokenBatch(
            rows.TokenIds, rows.LossMask, rows.Layout, rows.ExampleIds, rows.Completions) { Desirable = [true, false] };
        using var tape = new Autograd.Tape(isRecording: false);
        return ObjectiveRun.Alone(objective, tape, batch, isTraining).Metrics.Means()
            .Single(metric => metric.Name == MetricNames.RewardMean).Value;
    }
}
