using Handbook.Chat;
using Handbook.Data.Examples;
using Handbook.Sampling.Endpoints;
using Handbook.Sampling.Scoring;

namespace Handbook.Sampling.Tests.Scoring;

public sealed class JudgeScorerTests
{
    private static readonly JudgeOptions Options = new()
    {
        Endpoint = new EndpointOptions { Url = new Uri("http://localhost/v1"), Model = "judge" },
    };

    private static PromptCompletion Completion(string text, string row = "{}") =>
        new(new PromptRow(0, "0",
            Turns.Of([new Message { Role = "system", Content = "be brief" }, new Message { Role = "user", Content = "why?" }]),
            System.Text.Encoding.UTF8.GetBytes(row)), text);

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
    [InlineData("Rating: [[߈]]", null)]
    [InlineData("", null)]
    // The thoughts of a model whose template opened them.
    [InlineData("Maybe [[2]], it is weak.\n</think>\n\nRating: [[6]]", 6.0)]
    [InlineData("Score: 3?</think>I would go with 8/10.", 8.0)]
    [InlineData("[[4]] because of</thinking> [[5]]", 5.0)]
    [InlineData("[THINK]Rating: 2[/THINK]Rating: 9", 9.0)]
    [InlineData("it may be [[3]]</think>", null)]
    // The scale is no rating.
    [InlineData("On a scale of 1 to 10, I'd rate this answer 7.", 7.0)]
    [InlineData("On a scale from 1 (worst) to 10 (best) this answer earns 6", 6.0)]
    [InlineData("Rating (1-10): 8", 8.0)]
    [InlineData("Rating [1-10]: 4", 4.0)]
    [InlineData("**Rating (1–10):** 4", 4.0)]
    [InlineData("Score out of 10: 7", 7.0)]
    [InlineData("Rating on a scale of 1 to 10: 10", 10.0)]
    [InlineData("Between 1 and 10, where 10 is perfect, my rating is 9.", 9.0)]
    [InlineData("Rating: [[7]] out of [[10]]", 7.0)]
    [InlineData("Rating: [[7]]/10", 7.0)]
    [InlineData("I rate from [[1]] to [[10]]: [[3]]", 3.0)]
    [InlineData("My rating for this answer would be 8 (max 10).", 8.0)]
    [InlineData("The maximum is 10. Score = 5", 5.0)]
    [InlineData("I'd give it an 8.", 8.0)]
    [InlineData("The final rating of the answer is: **8**", 8.0)]
    [InlineData("\\boxed{6}", 6.0)]
    [InlineData("7 out of a possible 10", 7.0)]
    [InlineData("The scale goes from 1 to 10.", null)]
    [InlineData("Rating: 80%", null)]
    [InlineData("Rating: 4/5", null)]
    [InlineData("It names 5 of 10 facts, in the 3rd line.", null)]
    public void Parse_FindsTheRatingOrNothing(string said, double? expected) => Assert.Equal(expected, JudgeVerdict.Parse(said, 1, 10));

    [Theory]
    [InlineData("A scale of 0 to 1. Rating: 0.75", 0, 1, 0.75)]
    [InlineData("[[5/5]]", 1, 5, 5.0)]
    [InlineData("Rating (1-5): 3", 1, 5, 3.0)]
    [InlineData("Rating: -2", -5, 5, -2.0)]
    [InlineData("I rate it 100 out of 100", 0, 100, 100.0)]
    public void Parse_OtherScales_AreKnownToo(string said, double min, double max, double expected) =>
        Assert.Equal(expected, JudgeVerdict.Parse(said, min, max));

    /// <summary>What a judge says is a stranger's text: its length is all that it may cost.</summary>
    [Theory]
    [InlineData("rating: ")]
    [InlineData("1 ")]
    [InlineData("score is a * _ ")]
    [InlineData("<think>")]
    [InlineData("[[ 1 to [[")]
    [InlineData("give it a ( ")]
    public void Parse_EndlessText_EndsSoon(string piece)
    {
        var text = string.Concat(Enumerable.Repeat(piece, 200_000 / piece.Length)) + new string(' ', 200_000) + "x";
        var before = Environment.CpuUsage.UserTime;
        JudgeVerdict.Parse(text, 1, 10);
        Assert.True(Environment.CpuUsage.UserTime - before < TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task Score_UnclearVerdict_IsAskedForOnceMore()
    {
        var judge = new ScriptedSampler(prompt => prompt.Turns.Messages!.Count > 1 ? "Rating: [[4]]"
            : prompt.Turns.Messages[0].Content!.Contains("clear", StringComparison.Ordinal) ? "[[9]]" : "Hm.");
        using var scorer = new JudgeScorer(judge, Options);
        Assert.Equal([9, 4, 9], await scorer.ScoreAsync([Completion("clear"), Completion("vague"), Completion("clear")], default));
        Assert.Equal(4, judge.Asked.Count);
        Assert.Equal(["user", "assistant", "user"], judge.Asked[^1].Turns.Messages!.Select(message => message.Role));
    }

    [Fact]
    public async Task Score_VerdictThatStaysUnclear_IsNone()
    {
        using var scorer = new JudgeScorer(new ScriptedSampler(_ => "Hm."), Options);
        Assert.Null(Assert.Single(await scorer.ScoreAsync([Completion("x")], default)));
        Assert.Equal("there is no verdict in its words: Hm.", scorer.Missing);
    }

    /// <summary>An answer that holds placeholders must not be able to change what the judge is asked.</summary>
    [Fact]
    public async Task Score_Template_IsFilledInOnePass()
    {
        var judge = new ScriptedSampler(_ => "[[5]]");
        using var scorer = new JudgeScorer(judge, Options with { Template = "{prompt}|{answer}|{gold}|{nothing}|{min_score}-{max_score}" });
        await scorer.ScoreAsync([Completion("I am {gold} {max_score}", """{"gold": "{answer}"}""")], default);
        Assert.Equal("system: be brief\n\nuser: why?|I am {gold} {max_score}|{answer}|{nothing}|1-10",
            judge.Asked[0].Turns.Messages![0].Content);
    }

    /// <summary>No answer is ever rated beside another one: whatever the order, each is asked the same.</summary>
    [Fact]
    public async Task Score_OrderOfAnswers_ChangesNothing()
    {
        var judge = new ScriptedSampler(prompt => $"[[{1 + prompt.Turns.Messages![0].Content!.Length % 10}]]");
        using var scorer = new JudgeScorer(judge, Options);
        var answers = new[] { Completion("a"), Completion("bb"), Completion("ccc") };
        var forward = await scorer.ScoreAsync(answers, default);
        var backward = await scorer.ScoreAsync([.. answers.Reverse()], default);
        Assert.Equal(forward, backward.Reverse());
    }
}
