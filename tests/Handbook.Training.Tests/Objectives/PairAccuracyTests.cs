using Handbook.Autograd;
using Handbook.Autograd.Elementary;
using Handbook.Data.Packing;
using Handbook.Torch;
using Handbook.Training.Artefacts;
using Handbook.Training.Objectives;
using Handbook.Training.Objectives.RewardModel;

namespace Handbook.Training.Tests.Objectives;

/// <summary>Equal answers are a tie for every objective, whichever way rounding pushes their scores.</summary>
public sealed class PairAccuracyTests
{
    public static TheoryData<string, double> Pushed()
    {
        var data = new TheoryData<string, double>();
        foreach (var entry in ObjectiveCases.All.Where(entry => entry.Kind != RowKind.Verdicts))
        {
            data.Add(entry.Name, 1e-3);
            data.Add(entry.Name, -1e-3);
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Pushed))]
    public void Compute_EqualAnswers_AreATieHoweverRoundingFalls(string name, double push)
    {
        var entry = ObjectiveCases.Find(name);
        using var scope = new TensorScope();
        using var models = new SmallModels(DType.Float32);
        var packed = models.Packed;
        var parts = packed with { Policy = new PushedPolicy(packed.Policy, push), Scorer = new PushedScorer(packed.Scorer, push) };
        var equal = RandomCompletions.Pairs(7, [(4, 3, 3), (2, 5, 5), (6, 1, 1)]).Select(pair => pair with { Rejected = pair.Chosen });

        var run = ObjectiveRun.Of(entry.Create(parts), models.Parameters(entry.Kind),
            TokenBatch.Concatenate([.. equal.Select(pair => ObjectiveRun.Row(pair, entry.Kind, shared: true))]));

        Assert.Equal(0, run.Metrics[entry.Kind == RowKind.ScoredPairs ? MetricNames.Accuracy : MetricNames.RewardAccuracy]);
        Assert.NotEqual(0, run.Metrics[entry.Kind == RowKind.ScoredPairs ? MetricNames.Margin : MetricNames.RewardMargin]);
    }

    [Fact]
    public void Count_SharedPromptOrItsOwnCopy_ComparesWholeSequences()
    {
        PreferencePair same = new([3, 4], [5, 6], [5, 6], 0, null), other = new([3, 4], [5, 6], [5, 6, 6], 1, null);
        double[] high = [1, 1], low = [0, 0];

        foreach (var shared in new[] { true, false })
        {
            var batch = TokenBatch.Concatenate([ObjectiveRun.Row(same, RowKind.Pairs, shared),
                ObjectiveRun.Row(other, RowKind.Pairs, shared)]);
            Assert.Equal(1, PairAccuracy.Count(batch, high, low));
        }
    }

    [Fact]
    public void Count_EqualAnswersToOtherPrompts_AreNoTie()
    {
        // An answer of two tokens each, behind prompts that were cut differently.
        var layout = new SequenceLayout(new Segment(0, 2), new Segment(2, 2, 2, 0), new Segment(4, 1), new Segment(5, 2, 1, 2));
        var batch = new TokenBatch([1, 2, 8, 9, 2, 8, 9], new bool[7], layout, [0], [1, 3]);

        Assert.Equal(1, PairAccuracy.Count(batch, [1], [0]));
    }

    /// <summary>Moves the hidden states of every second answer, as another order of sums would.</summary>
    private sealed class PushedPolicy(IPolicy policy, double push) : IPolicy
    {
        public HiddenStates Forward(Tape tape, TokenBatch batch)
        {
            var states = policy.Forward(tape, batch);
            var factors = new double[batch.TokenCount];
            Array.Fill(factors, 1);
            for (var i = 0; i < batch.Completions.Length; i += 2)
            {
                var segment = batch.Layout.Segments[batch.Completions[i]];
                factors.AsSpan(segment.Start, segment.Length).Fill(1 + push);
            }
            return states with
            {
                Hidden = tape.Multiply(states.Hidden, new Variable(Tensor.From(factors).To(DType.Float32).Reshape(batch.TokenCount, 1))),
            };
        }
    }

    private sealed class PushedScorer(IRewardModel scorer, double push) : IRewardModel
    {
        public Variable Score(Tape tape, TokenBatch batch, ReadOnlySpan<int> rows)
        {
            var pushes = Tensor.From<double>([.. Enumerable.Range(0, rows.Length).Select(i => i % 2 == 0 ? push : 0)]).To(DType.Float32);
            return tape.Add(scorer.Score(tape, batch, rows), new Variable(pushes));
        }
    }
}
