using System.Text;
using Handbook.Data.Examples;
using Handbook.Sampling.Scoring;

namespace Handbook.Sampling.Tests.Scoring;

public sealed class RuleTableTests
{
    private static readonly PromptRow Prompt = new(0, "0", Turns.Of("q"),
        Encoding.UTF8.GetBytes("""{"answer": " 42 ", "solution": "6 * 7 = 42\n#### 1,042", "count": 7}"""));

    public static TheoryData<string, string, double> Cases() => new()
    {
        { "exact:answer", "42\n", 1 }, { "exact:answer", "42.", 0 }, { "exact:count", "7", 1 },
        { "number:solution", "It is 1042.", 1 }, { "number:solution", "1042 or 3", 0 }, { "number:solution", "none", 0 },
        { "number:answer", "= 42.0", 1 },
        { "contains:Glad to help!", "x. Glad to help!", 1 }, { "contains:Glad", "glad", 0 }, { "excludes:sorry", "fine", 1 },
        { "excludes:sorry", "sorry", 0 },
        { "starts_with:Yes", "  Yes, sir", 1 }, { "starts_with:Yes", "No. Yes", 0 }, { "ends_with:!", "well! \n", 1 },
        { "ends_with:!", "well!.", 0 },
        { "regex:^\\d{3}$", "123", 1 }, { "regex:^\\d{3}$", "1234", 0 }, { "regex:a:b", "xa:bx", 1 },
        { "max_words:3", "one two\nthree", 1 }, { "max_words:3", "one two three four", 0 }, { "min_words:2", "one", 0 },
        { "min_words:2", "one  two", 1 },
        { "words", " one two ", 2 }, { "words", "", 0 }, { "json", "{\"a\": [1]}", 1 }, { "json", "Here: {}", 0 }, { "json", "", 0 },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Score_OfEveryRule_IsAsTheTableSays(string rule, string answer, double expected)
    {
        using var scorer = new ScorerOptions(rule).Open(TimeProvider.System);
        Assert.Equal(expected, Assert.Single(await scorer.ScoreAsync([new PromptCompletion(Prompt, answer)], default)));
    }

    [Fact]
    public void Rows_AllHaveACase() =>
        Assert.Empty(RuleTable.Rows.Select(row => row.Name).Except(Cases().Select(data => ((string)data[0]).Split(':')[0])));

    [Theory]
    [InlineData("max_word:3", "'max_word:3' is not a scorer. Did you mean max_words?")]
    [InlineData("max_words", "'max_words' must be written max_words:N.")]
    [InlineData("json:x", "'json:x' must be written json.")]
    [InlineData("max_words:ten", "'max_words:ten': 'ten' is not a number of words.")]
    [InlineData("regex:(", "'regex:(': regex:(: ")]
    [InlineData("regex:(a)\\1", "'regex:(a)\\1': regex:(a)\\1: ")]
    [InlineData("reward_model:", "'reward_model:' is not a scorer.")]
    public void FindProblem_OfAWrongName_SaysWhatIsExpected(string name, string expected) =>
        Assert.StartsWith(expected, ScorerOptions.FindProblem(name), StringComparison.Ordinal);

    [Fact]
    public async Task Score_ColumnThatIsMissing_NamesRowAndColumn()
    {
        using var scorer = new ScorerOptions("exact:gold").Open(TimeProvider.System);
        var error = await Assert.ThrowsAsync<UserErrorException>(() => scorer.ScoreAsync([new PromptCompletion(Prompt, "x")], default));
        Assert.Equal("reward_funcs: the rule needs column gold, which prompt 0 does not have.", error.Message);
    }
}
