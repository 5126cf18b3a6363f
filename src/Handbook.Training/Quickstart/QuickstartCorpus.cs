using Handbook.Data.Random;
using static Handbook.Training.Quickstart.QuickstartWorld;

namespace Handbook.Training.Quickstart;

/// <summary>
/// Plain text from which a model can learn every fact and pattern that is asked for later, told in several wordings and orders
/// (which is what makes facts retrievable: arXiv:2309.14316), but never as a question with an answer.
/// </summary>
internal sealed class QuickstartCorpus(QuickstartWorld world, PythonRandom random)
{
    public const int LargestAddend = 9;
    public const int LargestNumber = 50;

    /// <summary>Documents in random order; a round tells of every person once.</summary>
    public string[] Documents(int rounds)
    {
        var documents = new List<string>();
        for (var round = 0; round < rounds; round++)
        {
            documents.AddRange(world.People.Select(Person));
            documents.AddRange(Several(20, () => Twice(Sum)));
            documents.AddRange(Several(10, () => Twice(Successor)));
            documents.AddRange(Several(12, () => Twice(Opposite)));
            documents.AddRange(Several(10, () => Twice(Plural)));
            documents.AddRange(Several(24, Story));
        }
        var shuffled = documents.ToArray();
        random.Shuffle<string>(shuffled);
        return shuffled;
    }

    private static IEnumerable<string> Several(int count, Func<string> make) => Enumerable.Range(0, count).Select(_ => make());

    // The same fact in two wordings: the second mention can be read off the first, which teaches to repeat what was named before.
    private string Twice(Func<string[]> wordings)
    {
        var sentences = wordings();
        random.Shuffle<string>(sentences);
        return string.Join(' ', sentences);
    }

    private string Person(Person person)
    {
        string[] sentences =
        [
            Pick(random, [$"{person.Name} lives in {person.City}.", $"The home of {person.Name} is in {person.City}.", $"You can visit {person.Name} in {person.City}."]),
            Pick(random, [$"{person.Name} works as a {person.Job}.", $"{person.Name} is a {person.Job}.", $"The job of {person.Name} is {person.Job}."]),
            Pick(random, [$"{person.Name} keeps a {person.Animal}.", $"The pet of {person.Name} is a {person.Animal}.", $"{person.Name} feeds a {person.Animal}."]),
        ];
        random.Shuffle<string>(sentences);
        return string.Join(' ', sentences);
    }

    private string[] Sum()
    {
        var (a, b) = (random.Below(LargestAddend + 1), random.Below(LargestAddend + 1));
        return [$"{a} plus {b} is {a + b}.", $"{a} and {b} make {a + b}."];
    }

    private string[] Successor()
    {
        var number = random.Below(LargestNumber);
        return [$"After {number} comes {number + 1}.", $"First {number}, then {number + 1}."];
    }

    private string[] Opposite()
    {
        var (word, opposite) = Pick(random, QuickstartTasks.Opposites);
        return [$"The opposite of {word} is {opposite}.", $"What is not {word} is {opposite}."];
    }

    private string[] Plural()
    {
        var (word, plural) = Pick(random, QuickstartWords.Plurals);
        return [$"The plural of {word} is {plural}.", $"One {word}, two {plural}."];
    }

    // Who has what, then the same again in another order: predicting it takes looking back, which is what reading asks for.
    private string Story()
    {
        var count = 2 + random.Below(2);
        var names = PickSeveral(random, QuickstartWords.Names, count);
        var things = PickSeveral(random, QuickstartWords.Things, count);
        var told = things.Zip(names, Belongs);
        var again = random.Sample(count, count).Select(i => Belongs(things[i], names[i]));
        return string.Join(' ', told.Concat(again));
    }

    /// <summary>A sentence of stories.</summary>
    public static string Belongs(string thing, string name) => $"The {thing} is with {name}.";
}
