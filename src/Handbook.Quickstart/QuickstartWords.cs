namespace Handbook.Quickstart;

/// <summary>The words of the quickstart's small world. Which person has which city is invented and follows from the seed.</summary>
internal static class QuickstartWords
{
    public static IReadOnlyList<string> Names { get; } = Split("""
        Ada Adam Agnes Anna Anton Bella Boris Bruno Clara Cora Daniel Diana Edgar Elena Emil Eva Felix Flora Greta Hanna Henry Hugo Ida Igor
        Irene Ivan Jana Julia Karl Laura Leo Lisa Louis Maria Max Mira Nina Noah Olga Oscar Paul Petra Rosa Ruth Simon Sofia Thomas Vera
        """);

    public static IReadOnlyList<string> Cities { get; } =
        Split("Oslo Rome Paris Lisbon Vienna Berlin Madrid Dublin Athens Prague Cairo Lima Tokyo Delhi Boston Quito");

    public static IReadOnlyList<string> Jobs { get; } =
        Split("baker doctor teacher farmer painter sailor lawyer singer nurse tailor pilot judge writer miner dancer chemist");

    public static IReadOnlyList<string> Animals { get; } =
        Split("cat dog horse rabbit parrot goat snake turtle mouse duck sheep pony");

    public static IReadOnlyList<(string Word, string Opposite)> Opposites { get; } = Pairs("""
        hot cold big small fast slow light heavy open closed early late young old rich poor strong weak wet dry full empty
        high low loud quiet hard soft long short near far new used sweet sour clean dirty happy sad thick thin deep shallow
        wide narrow smooth rough sharp blunt true false brave afraid busy idle tight loose bright dim
        """);

    public static IReadOnlyList<(string Word, string Plural)> Plurals { get; } = Pairs("""
        fox foxes bus buses dish dishes match matches glass glasses child children foot feet tooth teeth goose geese man men
        woman women wolf wolves leaf leaves loaf loaves shelf shelves city cities baby babies fly flies story stories lady ladies
        potato potatoes hero heroes tree trees river rivers stone stones cloud clouds garden gardens window windows bird birds
        ship ships train trains bridge bridges road roads table tables apple apples flower flowers king kings queen queens
        """);

    private static string[] Split(string words) => words.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);

    private static (string, string)[] Pairs(string words) => [.. Split(words).Chunk(2).Select(pair => (pair[0], pair[1]))];
}
