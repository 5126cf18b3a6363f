using Handbook.Data.Random;
using static Handbook.Training.Quickstart.QuickstartWorld;

namespace Handbook.Training.Quickstart;

/// <summary>
/// The kinds of question of the quickstart. A quarter of the subjects of each kind (people, sums, words) is held out: no question
/// about them is ever trained on, so that a right answer shows knowledge from the corpus together with the manner from fine-tuning.
/// Answers are whole sentences, so that the word that matters stands behind a space as in the corpus: to a byte-level tokenizer the
/// same word at the beginning of an answer would be another token, and for held-out subjects one that it never saw.
/// </summary>
internal static class QuickstartTasks
{
    private const int HeldOutShare = 4;

    /// <summary>Both directions of every pair of opposites.</summary>
    public static IReadOnlyList<(string Word, string Opposite)> Opposites { get; } =
        [.. QuickstartWords.Opposites, .. QuickstartWords.Opposites.Select(pair => (pair.Opposite, pair.Word))];

    /// <summary>Asks about everything that the world holds.</summary>
    /// <param name="world">The facts.</param>
    /// <param name="random">Chooses wordings and what is held out.</param>
    /// <param name="readingCount">Stories with a question to train on; a tenth as many are for examining.</param>
    public static QuickstartQuestions Ask(QuickstartWorld world, PythonRandom random, int readingCount)
    {
        var (train, test) = (new List<QuickstartQuestion>(), new List<QuickstartQuestion>());
        Add(world.People, person => AboutPerson(person, random), wordings: 2);
        Add([.. Pairs()], pair => [Sum(pair.A, pair.B)], wordings: 1);
        Add([.. Enumerable.Range(0, QuickstartCorpus.LargestNumber)], number => [Successor(number)], wordings: 1);
        Add(Opposites, pair => [Opposite(pair)], wordings: 1);
        Add(QuickstartWords.Plurals, pair => [Plural(pair)], wordings: 1);
        var stories = Stories(random, readingCount + readingCount / 10);
        train.AddRange(stories.Take(readingCount));
        test.AddRange(stories.Skip(readingCount));
        return new QuickstartQuestions(Shuffled(train), Shuffled(test));

        void Add<T>(IReadOnlyList<T> subjects, Func<T, IEnumerable<QuickstartQuestion>> ask, int wordings)
        {
            var order = random.Sample(subjects.Count, subjects.Count);
            var heldOut = subjects.Count / HeldOutShare;
            for (var i = 0; i < order.Length; i++)
            {
                for (var wording = 0; wording < (i < heldOut ? 1 : wordings); wording++)
                    (i < heldOut ? test : train).AddRange(ask(subjects[order[i]]));
            }
        }

        List<QuickstartQuestion> Shuffled(List<QuickstartQuestion> questions)
        {
            var array = questions.ToArray();
            random.Shuffle<QuickstartQuestion>(array);
            return [.. array];
        }
    }

    private static IEnumerable<QuickstartQuestion> AboutPerson(Person person, PythonRandom random)
    {
        var name = person.Name;
        yield return new("people", Pick(random, [$"Where does {name} live?", $"In which city is the home of {name}?"]), $"{name} lives in {person.City}", name);
        yield return new("people", Pick(random, [$"What is the job of {name}?", $"What does {name} work as?"]), $"{name} works as a {person.Job}", name);
        yield return new("people", Pick(random, [$"Which pet does {name} have?", $"Which animal does {name} keep?"]), $"{name} keeps a {person.Animal}", name);
    }

    private static IEnumerable<(int A, int B)> Pairs() =>
        from a in Enumerable.Range(0, QuickstartCorpus.LargestAddend + 1)
        from b in Enumerable.Range(0, QuickstartCorpus.LargestAddend + 1)
        select (a, b);

    private static QuickstartQuestion Sum(int a, int b) => new("sums", $"What is {a} plus {b}?", $"{a} plus {b} is {a + b}", $"{a}+{b}");

    private static QuickstartQuestion Successor(int number) =>
        new("counting", $"Which number comes after {number}?", $"After {number} comes {number + 1}", $"{number}");

    private static QuickstartQuestion Opposite((string Word, string Opposite) pair) =>
        new("opposites", $"What is the opposite of {pair.Word}?", $"The opposite of {pair.Word} is {pair.Opposite}", pair.Word);

    private static QuickstartQuestion Plural((string Word, string Plural) pair) =>
        new("plurals", $"What is the plural of {pair.Word}?", $"The plural of {pair.Word} is {pair.Plural}", pair.Word);

    private static List<QuickstartQuestion> Stories(PythonRandom random, int count)
    {
        var stories = new List<QuickstartQuestion>(count);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (stories.Count < count)
        {
            var size = 2 + random.Below(2);
            var names = PickSeveral(random, QuickstartWords.Names, size);
            var things = PickSeveral(random, QuickstartWords.Things, size);
            var asked = random.Below(size);
            var story = string.Join(' ', things.Zip(names, QuickstartCorpus.Belongs));
            if (seen.Add(story))
                stories.Add(new("reading", $"{story} Who has the {things[asked]}?", QuickstartCorpus.Belongs(things[asked], names[asked])[..^1], story));
        }
        return stories;
    }
}
