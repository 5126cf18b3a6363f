using Handbook.Data.Packing;
using Handbook.Data.Store;

namespace Handbook.Data.Inspection;

/// <summary>Lengths of examples, in tokens.</summary>
/// <param name="Shortest">The shortest.</param>
/// <param name="Median">Half are at most this long.</param>
/// <param name="Percentile90">Nine of ten are at most this long.</param>
/// <param name="Percentile99">Ninety-nine of a hundred are at most this long.</param>
/// <param name="Longest">The longest.</param>
/// <param name="Mean">The mean.</param>
public sealed record LengthStatistics(int Shortest, int Median, int Percentile90, int Percentile99, int Longest, double Mean);

/// <summary>What one source gave.</summary>
/// <param name="Name">The source.</param>
/// <param name="Examples">Its examples.</param>
/// <param name="Tokens">Their tokens.</param>
/// <param name="Labels">Their labels.</param>
public sealed record SourceStatistics(string Name, int Examples, long Tokens, long Labels);

/// <summary>Rows and share of places filled, were another strategy taken.</summary>
/// <param name="Strategy">The strategy.</param>
/// <param name="Rows">Number of rows.</param>
/// <param name="Efficiency">Share of the rows' places that hold a token.</param>
public sealed record PackingComparison(PackingStrategy Strategy, int Rows, double Efficiency);

/// <summary>A store in numbers.</summary>
public sealed record StoreStatistics
{
    /// <summary>Lengths of all examples.</summary>
    public required LengthStatistics Lengths { get; init; }

    /// <summary>What each source gave.</summary>
    public required IReadOnlyList<SourceStatistics> Sources { get; init; }

    /// <summary>Examples whose tokens are those of an earlier one.</summary>
    public required int Duplicates { get; init; }

    /// <summary>The first few of them with what they repeat.</summary>
    public required IReadOnlyList<(string Example, string Of)> DuplicateExamples { get; init; }

    /// <summary>What other strategies would make of the same training examples; empty for pairs and verdicts.</summary>
    public required IReadOnlyList<PackingComparison> Packings { get; init; }

    /// <summary>Reads a store through once.</summary>
    public static StoreStatistics Of(TokenStore store)
    {
        var count = store.ExampleCount;
        var lengths = new int[count];
        var (examples, tokens, labels) = (new int[store.Manifest.Sources.Count], new long[store.Manifest.Sources.Count],
            new long[store.Manifest.Sources.Count]);
        var first = new Dictionary<ulong, int>();
        var repeats = new List<(string, string)>();
        var duplicates = 0;
        for (var i = 0; i < count; i++)
        {
            lengths[i] = store.Length(i);
            var source = store.SourceOf(i);
            examples[source]++;
            tokens[source] += lengths[i];
            labels[source] += store.LabelCount(i);
            if (first.TryAdd(Hash(store.Marked(new Piece(i, 0, lengths[i]))), i))
                continue;
            duplicates++;
            if (repeats.Count < 10)
                repeats.Add((store.Describe(i), store.Describe(first[Hash(store.Marked(new Piece(i, 0, lengths[i])))])));
        }
        return new StoreStatistics
        {
            Lengths = Describe(lengths),
            Sources =
            [
                .. store.Manifest.Sources.Select((source, i) => new SourceStatistics(source.Name, examples[i], tokens[i], labels[i])),
            ],
            Duplicates = duplicates,
            DuplicateExamples = repeats,
            Packings = store.Kind == StoreKind.Sequences ? Compare(TrainLengths(store), store.Train.Summary.MaxLength) : [],
        };
    }

    private static int[] TrainLengths(TokenStore store)
    {
        var seen = new SortedSet<int>();
        for (var row = 0; row < store.Train.RowCount; row++)
        {
            foreach (var piece in store.Train.Pieces(row))
                seen.Add(piece.Document);
        }
        return [.. seen.Select(store.Length)];
    }

    private static List<PackingComparison> Compare(int[] lengths, int maxLength)
    {
        var comparisons = new List<PackingComparison>();
        foreach (var strategy in new[] { PackingStrategy.None, PackingStrategy.BestFitBy1000,
            PackingStrategy.BestFit, PackingStrategy.Wrapped })
        {
            var plan = Packer.Plan(lengths, new PackingOptions { MaxLength = maxLength, Strategy = strategy });
            comparisons.Add(new PackingComparison(strategy, plan.RowCount, plan.Efficiency(maxLength)));
        }
        return comparisons;
    }

    private static LengthStatistics Describe(int[] lengths)
    {
        if (lengths.Length == 0)
            return new LengthStatistics(0, 0, 0, 0, 0, 0);
        int[] sorted = [.. lengths.Order()];
        return new LengthStatistics(sorted[0], At(.5), At(.9), At(.99), sorted[^1], sorted.Average());

        int At(double share) => sorted[Math.Min(sorted.Length - 1, (int)Math.Ceiling(share * sorted.Length) - 1 is var i && i < 0 ? 0 : i)];
    }

    private static ulong Hash(ReadOnlySpan<int> marked)
    {
        var hash = (ulong)marked.Length;
        foreach (var token in marked)
            hash = (hash ^ (uint)(token >= 0 ? token : ~token)) * 0x9e3779b97f4a7c15 + 0x632be59bd9b4e019;
        return hash ^ (hash >> 29);
    }
}
