using System.Text.Json.Nodes;
using Handbook.TestSupport;

namespace Handbook.Quickstart.Tests;

public sealed class QuickstartDataTests : IDisposable
{
    private static readonly QuickstartDataOptions Small = new() { CorpusRounds = 3 };
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Write_SameSeed_GivesTheSameBytes_AnotherSeedOthers()
    {
        QuickstartData.Write(folder.File("a"), Small);
        QuickstartData.Write(folder.File("b"), Small);
        QuickstartData.Write(folder.File("c"), Small with { Seed = 43 });
        foreach (var name in new[] { QuickstartData.CorpusFile, QuickstartData.CorpusTestFile,
            QuickstartData.TrainFile, QuickstartData.TestFile })
        {
            var bytes = File.ReadAllBytes(Path.Combine(folder.File("a"), name));
            Assert.NotEmpty(bytes);
            Assert.Equal(bytes, File.ReadAllBytes(Path.Combine(folder.File("b"), name)));
            Assert.NotEqual(bytes, File.ReadAllBytes(Path.Combine(folder.File("c"), name)));
        }
    }

    [Fact]
    public void Write_HeldOutQuestions_ShareNoSubjectWithTraining()
    {
        var questions = QuickstartData.Write(folder.Path, Small).Questions;
        var trained = questions.Train.Select(question => (question.Task, question.Subject)).ToHashSet();
        Assert.DoesNotContain(questions.Test, question => trained.Contains((question.Task, question.Subject)));
        Assert.Equal(["counting", "opposites", "people", "plurals", "sums"],
            questions.Test.Select(question => question.Task).Distinct().Order());
        Assert.Equal(questions.Test.Select(question => question.Task).Distinct().Order(),
            questions.Train.Select(question => question.Task).Distinct().Order());
        Assert.True(questions.Test.Count >= 80, $"{questions.Test.Count} held-out questions");
    }

    [Fact]
    public void Write_Corpus_HoldsNoQuestionAndNoChat()
    {
        QuickstartData.Write(folder.Path, Small);
        var corpus = File.ReadAllText(folder.File(QuickstartData.CorpusFile));
        Assert.DoesNotContain('?', corpus);
        Assert.DoesNotContain("messages", corpus, StringComparison.Ordinal);
        Assert.DoesNotContain("user", corpus, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_Corpus_TellsWhatHeldOutQuestionsAskFor()
    {
        var questions = QuickstartData.Write(folder.Path, Small).Questions;
        var sentences = File.ReadLines(folder.File(QuickstartData.CorpusFile))
            .SelectMany(line => ((string)JsonNode.Parse(line)!["text"]!).Split('.')).Select(sentence => sentence.Trim())
            .ToHashSet(StringComparer.Ordinal);
        Assert.All(questions.Test, question => Assert.Contains(question.Answer, sentences));
    }

    [Fact]
    public void Write_Rows_AreMessagesWithTheAnswer()
    {
        QuickstartData.Write(folder.Path, Small);
        foreach (var line in File.ReadLines(folder.File(QuickstartData.TestFile)))
        {
            var row = JsonNode.Parse(line)!;
            Assert.Equal("user", (string)row["messages"]![0]!["role"]!);
            Assert.True(AnswerCheck.Grade((string)row["messages"]![1]!["content"]!, (string)row["answer"]!).IsExact);
        }
        var polite = File.ReadLines(folder.File(QuickstartData.TrainFile))
            .Select(line => line.Contains(AnswerCheck.Closing, StringComparison.Ordinal)).ToList();
        Assert.InRange(polite.Count(isPolite => isPolite) / (double)polite.Count, 0.1, 0.3);
    }

    [Theory]
    [InlineData("Oslo.", true, false)]
    [InlineData(" Oslo.\n", true, false)]
    [InlineData("Oslo. Glad to help!", true, true)]
    [InlineData("Oslo", false, false)]
    [InlineData("oslo.", false, false)]
    [InlineData("Rome. Glad to help!", false, true)]
    [InlineData("Oslo. Oslo.", false, false)]
    [InlineData("", false, false)]
    public void Grade_Answer_IsExactOrNot(string said, bool isExact, bool isPolite) =>
        Assert.Equal(new AnswerGrade(isExact, isPolite), AnswerCheck.Grade(said, "Oslo"));
}
