using Handbook.Data.Examples;

namespace Handbook.Sampling.Tests;

public sealed class SelectionTests
{
    private static CandidateGroup Group(params (string Text, double? Score, string Finish)[] answers) => new(
        new PromptRow(0, "0", Turns.Of("q"), default),
        [.. answers.Select(
            (answer, i) => new Candidate(i, new SampledCompletion(answer.Text, answer.Finish), [answer.Score], answer.Score))],
        null);

    private static IEnumerable<string> Names(IEnumerable<CandidatePair> pairs) =>
        pairs.Select(pair => pair.Chosen.Completion.Text + ">" + pair.Rejected.Completion.Text);

    [Fact]
    public void Best_TakesTheHighestScoresOnceEach()
    {
        var group = Group(("a", 1, "stop"), ("b", 3, "stop"), ("b", 3, "stop"), ("c", 2, "stop"), ("d", null, "stop"));
        Assert.Equal(["b", "c"], new Selection(new SelectionOptions { KeepBest = 2 }).Best(group).Select(best => best.Completion.Text));
        Assert.Equal([1, 3, 0], new Selection(new SelectionOptions { KeepBest = 9 }).Best(group).Select(best => best.Sample));
    }

    [Fact]
    public void Best_EqualScores_TakesTheEarlierSample() =>
        Assert.Equal(0, new Selection(new SelectionOptions()).Best(Group(("a", 1, "stop"), ("b", 1, "stop")))[0].Sample);

    [Fact]
    public void Best_BelowTheLeastScoreOrCutOffOrEmpty_IsNotTaken()
    {
        var group = Group(("a", 5, "length"), ("", 4, "stop"), ("c", 3, "stop"), ("d", 1, "stop"));
        Assert.Equal("c", new Selection(new SelectionOptions()).Best(group)[0].Completion.Text);
        Assert.Equal("a", new Selection(new SelectionOptions { KeepTruncated = true }).Best(group)[0].Completion.Text);
        Assert.Empty(new Selection(new SelectionOptions { MinScore = 3.5 }).Best(group));
    }

    [Fact]
    public void Pairs_One_IsTheBestAgainstTheWorst() =>
        Assert.Equal(["b>c"],
            Names(new Selection(new SelectionOptions()).Pairs(Group(("a", 2, "stop"), ("b", 3, "stop"), ("c", -1, "stop")))));

    [Fact]
    public void Pairs_Several_AreOrderedByMarginAndBoundedByIt()
    {
        var group = Group(("a", 2, "stop"), ("b", 3, "stop"), ("c", 0, "stop"), ("d", 2, "stop"));
        Assert.Equal(["b>c", "a>c", "d>c", "b>a", "b>d"], Names(new Selection(new SelectionOptions { PairsPerPrompt = 9 }).Pairs(group)));
        Assert.Equal(["b>c", "a>c", "d>c"],
            Names(new Selection(new SelectionOptions { PairsPerPrompt = 9, MinMargin = 1.5 }).Pairs(group)));
        Assert.Empty(new Selection(new SelectionOptions { PairsPerPrompt = 0 }).Pairs(group));
    }

    [Fact]
    public void Pairs_AnswerThatWasCutOff_MayBeRejectedOnly() =>
        Assert.Equal(["b>a"],
            Names(new Selection(new SelectionOptions { PairsPerPrompt = 9 })
                .Pairs(Group(("a", 0, "length"), ("b", 1, "stop"), ("c", 5, "length")))));

    [Fact]
    public void Pairs_OfEqualScores_AreNone() =>
        Assert.Empty(new Selection(new SelectionOptions()).Pairs(Group(("a", 1, "stop"), ("b", 1, "stop"))));

    /// <summary>Against every subset, counted out.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    public void ExpectedLargest_EqualsTheMeanOverAllSubsets(int count)
    {
        double[] values = [3, -1, 4, 4, 0.5];
        var subsets = Enumerable.Range(0, 1 << values.Length).Where(bits => int.PopCount(bits) == count).ToList();
        var expected = subsets.Average(bits => values.Where((_, i) => (bits >> i & 1) == 1).Max());
        Assert.Equal(expected, SamplingStatistics.ExpectedLargest(values, count), 1e-12);
    }
}
