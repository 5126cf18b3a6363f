using System.Text;
using System.Text.Json.Nodes;
using Handbook.Data.Random;
using Handbook.Training.Artefacts;

namespace Handbook.Quickstart;

/// <summary>How much data the quickstart makes.</summary>
public sealed record QuickstartDataOptions
{
    /// <summary>Decides every fact, wording and order: equal seeds give equal bytes.</summary>
    public int Seed { get; init; } = 42;

    /// <summary>Rounds over the whole world in the corpus.</summary>
    public int CorpusRounds { get; init; } = 100;

    /// <summary>Rounds of other text to measure the loss on.</summary>
    public int CorpusTestRounds { get; init; } = 1;
}

/// <summary>What was written.</summary>
/// <param name="Documents">The corpus.</param>
/// <param name="Questions">Questions, training and held out.</param>
public sealed record QuickstartDataSummary(IReadOnlyList<string> Documents, QuickstartQuestions Questions)
{
    /// <summary>Everything that is trained on, for the tokenizer.</summary>
    public IEnumerable<string> TrainingTexts =>
        Documents.Concat(Questions.Train.Select(question => $"{question.Text}\n{AnswerCheck.Phrase(question.Answer, isPolite: true)}"));
}

/// <summary>Makes the quickstart's data out of nothing but a seed.</summary>
public static class QuickstartData
{
    /// <summary>The corpus: <c>{"text": ...}</c> rows.</summary>
    public const string CorpusFile = "corpus/train.jsonl";
    /// <summary>Text of the same kind that is not trained on.</summary>
    public const string CorpusTestFile = "corpus/test.jsonl";
    /// <summary>Questions with answers: <c>{"messages": [...]}</c> rows.</summary>
    public const string TrainFile = "questions/train.jsonl";
    /// <summary>Held-out questions: the same, with <c>task</c> and <c>answer</c> beside.</summary>
    public const string TestFile = "questions/test.jsonl";

    /// <summary>Pairs of a better and a worse answer to the questions of training: <c>prompt</c>, <c>chosen</c>, <c>rejected</c>.</summary>
    public const string PreferenceFile = "preferences/train.jsonl";
    /// <summary>The same about held-out questions.</summary>
    public const string PreferenceTestFile = "preferences/test.jsonl";

    // A fifth of the training answers is polite: enough for a later preference stage to have something to prefer.
    private const int PoliteShare = 5;

    /// <summary>Writes all six files below <paramref name="folder"/>: three datasets with a train and a test split each.</summary>
    public static QuickstartDataSummary Write(string folder, QuickstartDataOptions options)
    {
        var random = new PythonRandom(options.Seed);
        var world = new QuickstartWorld(random);
        var corpus = new QuickstartCorpus(world, random);
        var documents = corpus.Documents(options.CorpusRounds);
        var seen = documents.ToHashSet(StringComparer.Ordinal);
        var testDocuments = corpus.Documents(options.CorpusTestRounds).Where(document => !seen.Contains(document)).ToList();
        var questions = QuickstartTasks.Ask(world, random);

        WriteRows(Path.Combine(folder, CorpusFile), documents.Select(Text));
        WriteRows(Path.Combine(folder, CorpusTestFile), testDocuments.Select(Text));
        WriteRows(Path.Combine(folder, TrainFile),
            [.. questions.Train.Select(question => Conversation(question, random.Below(PoliteShare) == 0))]);
        WriteRows(Path.Combine(folder, TestFile), questions.Test.Select(TestRow));
        WriteRows(Path.Combine(folder, PreferenceFile), QuickstartPreferences.Of(questions.Train, random));
        WriteRows(Path.Combine(folder, PreferenceTestFile), QuickstartPreferences.Of(questions.Test, random));
        return new QuickstartDataSummary(documents, questions);
    }

    private static JsonObject Text(string document) => new() { ["text"] = document };

    private static JsonObject Conversation(QuickstartQuestion question, bool isPolite) => new()
    {
        ["messages"] = new JsonArray(
            new JsonObject { ["role"] = "user", ["content"] = question.Text },
            new JsonObject { ["role"] = "assistant", ["content"] = AnswerCheck.Phrase(question.Answer, isPolite) }),
    };

    private static JsonObject TestRow(QuickstartQuestion question)
    {
        var row = Conversation(question, isPolite: false);
        row["task"] = question.Task;
        row["answer"] = question.Answer;
        return row;
    }

    private static void WriteRows(string path, IEnumerable<JsonObject> rows)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        AtomicFile.Write(path, stream =>
        {
            foreach (var row in rows)
                stream.Write(Encoding.UTF8.GetBytes(PythonJson.WriteLine(row) + "\n"));
        });
    }
}
