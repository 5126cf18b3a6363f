using Handbook.Data.Examples;
using Handbook.Text.Conversations;
using Handbook.Training.Sampling;
using Handbook.Training.Sampling.Endpoints;
using Handbook.Training.Sampling.Scoring;

namespace Handbook.Training.Tests.Sampling.Scoring;

public sealed class JudgeScorerTests
{
    private static readonly JudgeOptions Options = new() { Endpoint = new EndpointOptions { Url = new Uri("http://localhost/v1"), Model = "judge" } };

    private static PromptAnswer Answer(string text, string row = "{}") =>
        new(new PromptRow(0, "0", Turns.Of([new Message { Role = "system", Content = "be brief" }, new Message { Role = "user", Content = "why?" }]), System.Text.Encoding.UTF8.GetBytes(row)), text);

    [Theory]
    [InlineData("It is good. Rating: [[7]]", 7.0)]
    [InlineData("First I thought [[3]], but then: [[8.5]]", 8.5)]
    [InlineData("[[9/10]]", 9.0)]
    [InlineData("""{"reason": "2 faults", "score": 6}""", 6.0)]
    [InlineData("**Rating:** 4", 4.0)]
    [InlineData("Score is 5/10, not 11", 5.0)]
    [InlineData("I give it 3 out of 10.", 3.0)]
    [InlineData(" 10. ", 10.0)]
    [InlineData("<think>maybe [[2]]</think> [[6]]", 6.0)]
    [InlineData("[[11]]", null)]
    [InlineData("[[0]]", null)]
    [InlineData("[[4/5]]", null)]
    [InlineData("<think>perhaps [[2]]", null)]
    [InlineData("There are 3 reasons.", null)]
    [InlineData("", null)]
    public void Parse_FindsTheRatingOrNothing(string said, double? expected) => Assert.Equal(expected, JudgeVerdict.Parse(said, 1, 10));

    [Fact]
    public async Task Score_UnclearVerdict_IsAskedForOnceMore()
    {
        var judge = new ScriptedSampler(prompt => prompt.Turns.Messages!.Count > 1 ? "Rating: [[4]]" : prompt.Turns.Messages[0].Content!.Contains("clear", StringComparison.Ordinal) ? "[[9]]" : "Hm.");
        using var scorer = new JudgeScorer(judge, Options);
        Assert.Equal([9, 4, 9], await scorer.ScoreAsync([Answer("clear"), Answer("vague"), Answer("clear")], default));
        Assert.Equal(4, judge.Asked.Count);
        Assert.Equal(["user", "assistant", "user"], judge.Asked[^1].Turns.Messages!.Select(message => message.Role));
    }

    [Fact]
    public async Task Score_VerdictThatStaysUnclear_IsNone()
    {
        using var scorer = new JudgeScorer(new ScriptedSampler(_ => "Hm."), Options);
        Assert.Null(Assert.Single(await scorer.ScoreAsync([Answer("x")], default)));
    }

    /// <summary>An answer that holds placeholders must not be able to change what the judge is asked.</summary>
    [Fact]
    public async Task Score_Template_IsFilledInOnePass()
    {
        var judge = new ScriptedSampler(_ => "[[5]]");
        using var scorer = new JudgeScorer(judge, Options with { Template = "{prompt}|{answer}|{gold}|{nothing}|{min_score}-{max_score}" });
        await scorer.ScoreAsync([Answer("I am {gold} {max_score}", """{"gold": "{answer}"}""")], default);
        Assert.Equal("system: be brief\n\nuser: why?|I am {gold} {max_score}|{answer}|{nothing}|1-10", judge.Asked[0].Turns.Messages![0].Content);
    }

    /// <summary>No answer is ever rated beside another one: whatever the order, each is asked the same.</summary>
    [Fact]
    public async Task Score_OrderOfAnswers_ChangesNothing()
    {
        var judge = new ScriptedSampler(prompt => $"[[{1 + prompt.Turns.Messages![0].Content!.Length % 10}]]");
        using var scorer = new JudgeScorer(judge, Options);
        var answers = new[] { Answer("a"), Answer("bb"), Answer("ccc") };
        var forward = await scorer.ScoreAsync(answers, default);
        var backward = await scorer.ScoreAsync([.. answers.Reverse()], default);
        Assert.Equal(forward, backward.Reverse());
    }
}
