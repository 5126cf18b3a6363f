using Handbook.Chat;
using Handbook.Data.Examples;
using Handbook.Sampling.Endpoints;
using Handbook.Sampling.Scoring;

namespace Handbook.Sampling.Tests.Scoring;

public sealed class PairwiseJudgeScorerTests
{
    private static readonly JudgeOptions Options = new()
    {
        Endpoint = new EndpointOptions { Url = new Uri("http://localhost/v1"), Model = "judge" },
        PairTemplate = "{answer_a}|{answer_b}|{prompt}|{gold}",
    };

    private static PromptCompletion Completion(string text, int prompt = 0, double? known = null) => new(
        new PromptRow(prompt, $"{prompt}", Turns.Of([new Message { Role = "user", Content = $"q{prompt}" }]),
            System.Text.Encoding.UTF8.GetBytes("""{"gold": "G"}""")), text) { Known = known };

    private static string[] Sides(SamplePrompt prompt) => prompt.Turns.Messages![0].Content!.Split('|');

    private static async Task<IReadOnlyList<double?>> ScoreAsync(ScriptedSampler judge, params PromptCompletion[] answers)
    {
        using var scorer = new PairwiseJudgeScorer(judge, Options);
        return await scorer.ScoreAsync(answers, default);
    }

    [Fact]
    public async Task Score_EveryTwoAnswersOfAPrompt_AreComparedInBothOrders()
    {
        var judge = new ScriptedSampler(prompt => Sides(prompt)[0].Length > Sides(prompt)[1].Length ? "[[A]]" : "[[B]]");
        Assert.Equal([0.0, 0.5, 1.0, 0.0, 1.0],
            await ScoreAsync(judge, Completion("a"), Completion("bb"), Completion("ccc"), Completion("x", 1), Completion("yy", 1)));
        Assert.Equal(8, judge.Asked.Count);
        Assert.Contains("bb|a|q0|G", judge.Asked.Select(prompt => prompt.Turns.Messages![0].Content));
    }

    /// <summary>A judge that favours a place says nothing: every answer scores the same.</summary>
    [Theory]
    [InlineData("[[A]]")]
    [InlineData("[[B]]")]
    [InlineData("[[C]]")]
    public async Task Score_JudgeOfPlaces_MakesTies(string always) =>
        Assert.Equal([0.5, 0.5, 0.5],
            await ScoreAsync(new ScriptedSampler(_ => always), Completion("a"), Completion("bb"), Completion("ccc")));

    [Fact]
    public async Task Score_EqualAnswers_AreOneAnswer()
    {
        var judge = new ScriptedSampler(prompt => Sides(prompt)[0] == "good" ? "[[A]]" : "[[B]]");
        Assert.Equal([1.0, 0.0, 0.0], await ScoreAsync(judge, Completion("good"), Completion("bad"), Completion("bad")));
        Assert.Equal(2, judge.Asked.Count);
        Assert.Equal([0.5, 0.5], await ScoreAsync(judge, Completion("same"), Completion("same")));
    }

    [Fact]
    public async Task Score_WithoutAVerdict_IsNone()
    {
        var judge = new ScriptedSampler(prompt => prompt.Turns.Messages!.Count > 1 || Sides(prompt)[0] == "odd" || Sides(prompt)[1] == "odd"
            ? "Both are nice." : Sides(prompt)[0] == "good" ? "[[A]]" : "[[B]]");
        using var scorer = new PairwiseJudgeScorer(judge, Options);
        Assert.Equal([1.0, 0.0, null], await scorer.ScoreAsync([Completion("good"), Completion("bad"), Completion("odd")], default));
        Assert.Equal("there is no verdict in its words: Both are nice.", scorer.Missing);
    }

    [Fact]
    public async Task Score_KnownScores_AreNotAskedForAgain()
    {
        var judge = new ScriptedSampler(_ => "[[C]]");
        Assert.Equal([0.9, 0.1, 0.5], await ScoreAsync(judge, Completion("a", known: 0.9), Completion("b", known: 0.1), Completion("c")));
        Assert.Equal(4, judge.Asked.Count);
    }

    [Theory]
    [InlineData("Because ... [[A]]", 1.0)]
    [InlineData("At first [[A]], but no: [[B]]", 0.0)]
    [InlineData("[[tie]]", 0.5)]
    [InlineData("Verdict: **B**", 0.0)]
    [InlineData("The better answer is A.", 1.0)]
    [InlineData("a", 1.0)]
    [InlineData("[[A]] hm</think>[[B]]", 0.0)]
    [InlineData("A good answer, both of them.", null)]
    [InlineData("The answer is a good one.", null)]
    [InlineData("", null)]
    public void Parse_FindsTheVerdictOrNothing(string said, double? expected) => Assert.Equal(expected, PairwiseJudgeScorer.Parse(said));
}
