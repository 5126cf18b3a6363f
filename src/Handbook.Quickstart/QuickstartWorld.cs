using Handbook.Data.Random;

namespace Handbook.Quickstart;

/// <summary>A person of the invented world.</summary>
internal sealed record Person(string Name, string City, string Job, string Animal);

/// <summary>The facts of the quickstart's world: who lives where, works as what and keeps which animal is drawn from the seed.</summary>
internal sealed class QuickstartWorld
{
    public QuickstartWorld(PythonRandom random) => People =
    [
        .. QuickstartWords.Names.Select(name => new Person(
            name, Pick(random, QuickstartWords.Cities), Pick(random, QuickstartWords.Jobs), Pick(random, QuickstartWords.Animals))),
    ];

    public IReadOnlyList<Person> People { get; }

    public static T Pick<T>(PythonRandom random, IReadOnlyList<T> items) => items[random.Below(items.Count)];
}
