using Handbook.Data.Random;

namespace Handbook.Quickstart;

/// <summary>
/// Plain text that states every fact that is asked for later, but never as a question with an answer: a few statements a document,
/// in an order that is new in every round, each after words that name its topic. Predicting the statement then takes looking back
/// at the topic, which is what answering a question asks for.
/// </summary>
internal sealed class QuickstartCorpus(QuickstartWorld world, PythonRandom random)
{
    public const int LargestAddend = 9;
    public const int LargestNumber = 50;

    private const int StatementsPerDocument = 3;

    /// <summary>Documents in random order; a round states every fact once.</summary>
    public string[] Documents(int rounds)
    {
        string[] statements = [.. QuickstartTasks.Facts(world).Select(fact => $"Now {fact.Topic}. {fact.Answer}.")];
        var documents = new List<string>();
        for (var round = 0; round < rounds; round++)
        {
            random.Shuffle<string>(statements);
            documents.AddRange(statements.Chunk(StatementsPerDocument).Select(chunk => string.Join(' ', chunk)));
        }
        return [.. documents];
    }
}
