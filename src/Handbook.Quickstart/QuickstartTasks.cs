using Handbook.Data.Random;

namespace Handbook.Quickstart;

/// <summary>One fact, how the corpus states it, and how it is asked for.</summary>
/// <param name="Task">The kind of question.</param>
/// <param name="Subject">What makes it this fact and no other.</param>
/// <param name="Topic">What it is about, in words: <c>the home of Ada</c>.</param>
/// <param name="Answer">The statement, without the full stop.</param>
internal sealed record QuickstartFact(string Task, string Subject, string Topic, string Answer)
{
    /// <summary>Questions that it answers.</summary>
    public IReadOnlyList<string> Wordings => [$"What is {Topic}?", $"Tell me {Topic}."];
}

/// <summary>
/// The kinds of question of the quickstart. A quarter of the facts of each kind is held out: no question about them is ever trained
/// on, so that a right answer shows knowledge from the corpus together with the manner from fine-tuning. An answer is the corpus's
/// own statement: the word that matters then stands behind the words that it followed there.
/// </summary>
internal static class QuickstartTasks
{
    private const int HeldOutShare = 4;

    /// <summary>Everything that the world holds, in a fixed order.</summary>
    public static IReadOnlyList<QuickstartFact> Facts(QuickstartWorld world) =>
    [
        .. world.People.SelectMany(OfPerson),
        .. from a in Enumerable.Range(0, QuickstartCorpus.LargestAddend + 1)
           from b in Enumerable.Range(0, QuickstartCorpus.LargestAddend + 1)
           select Fact("sums", $"{a}+{b}", $"the sum of {a} and {b}", $"{a + b}"),
        .. Enumerable.Range(0, QuickstartCorpus.LargestNumber)
            .Select(number => Fact("counting", $"{number}", $"the number after {number}", $"{number + 1}")),
        .. QuickstartWords.Opposites.Select(pair => Fact("opposites", pair.Word, $"the opposite of {pair.Word}", pair.Opposite)),
        .. QuickstartWords.Plurals.Select(pair => Fact("plurals", pair.Word, $"the plural of {pair.Word}", pair.Plural)),
    ];

    /// <summary>Asks about everything that the world holds.</summary>
    /// <param name="world">The facts.</param>
    /// <param name="random">Chooses what is held out, and the wording of the held-out questions.</param>
    public static QuickstartQuestions Ask(QuickstartWorld world, PythonRandom random)
    {
        var (train, test) = (new List<QuickstartQuestion>(), new List<QuickstartQuestion>());
        foreach (var task in Facts(world).GroupBy(fact => fact.Task))
        {
            var facts = task.ToArray();
            random.Shuffle<QuickstartFact>(facts);
            var heldOut = facts.Length / HeldOutShare;
            test.AddRange(facts.Take(heldOut).Select(fact => Question(fact, QuickstartWorld.Pick(random, fact.Wordings))));
            train.AddRange(facts.Skip(heldOut).SelectMany(fact => fact.Wordings.Select(wording => Question(fact, wording))));
        }
        return new QuickstartQuestions(Shuffled(train, random), Shuffled(test, random));
    }

    private static IEnumerable<QuickstartFact> OfPerson(Person person)
    {
        foreach (var (relation, value) in new[] { ("home", person.City), ("job", person.Job), ("pet", person.Animal) })
        {
            yield return Fact("people", $"{relation} of {person.Name}", $"the {relation} of {person.Name}", value);
        }
    }

    private static QuickstartFact Fact(string task, string subject, string topic, string value) =>
        new(task, subject, topic, $"T{topic[1..]} is {value}");

    private static QuickstartQuestion Question(QuickstartFact fact, string wording) => new(fact.Task, wording, fact.Answer, fact.Subject);

    private static List<QuickstartQuestion> Shuffled(List<QuickstartQuestion> questions, PythonRandom random)
    {
        var array = questions.ToArray();
        random.Shuffle<QuickstartQuestion>(array);
        return [.. array];
    }
}
