using System.Text.Json;
using Handbook.Data.Examples;
using Handbook.Data.Sources;

namespace Handbook.Data.Cleaning;

/// <summary>
/// Applies the cleaning rules in two steps: what an example shows by itself, on all threads; what depends on the examples
/// before it, in order. So the outcome never depends on the number of threads, and of duplicates the first stays.
/// </summary>
public sealed class Cleaner
{
    private const int KeptExamples = 10;
    private const int ShownCharacters = 120;
    private readonly CleaningOptions options;
    private readonly MinHash? minHash;
    private readonly NearDuplicateIndex? near;
    private readonly Decontamination? decontamination;
    private readonly HumanEvalRule? humanEval;
    private readonly Dictionary<ulong, int> firstPlace = [];
    private readonly List<RowPlace> places = [];
    private readonly SortedDictionary<string, (int Count, List<string> Examples)> removed = new(StringComparer.Ordinal);

    /// <summary>Reads the evaluation sets that the options name.</summary>
    /// <exception cref="UserErrorException">One of them is not found or cannot be read.</exception>
    public Cleaner(CleaningOptions options, IReadOnlyList<IDatasetResolver> resolvers)
    {
        this.options = options;
        if (options.NearDuplicates is { } nearOptions)
            (minHash, near) = (new MinHash(nearOptions), new NearDuplicateIndex(nearOptions));
        if (options.Decontaminate.Count > 0)
            decontamination = new Decontamination(options.Decontaminate, options.NGramWords, resolvers, new SourceOptions());
        if (options.HumanEval is { } humanEvalSet)
            humanEval = new HumanEvalRule(RowSource.OpenSplitOrAll(humanEvalSet, resolvers, new SourceOptions()));
    }

    /// <summary>What was removed so far, by rule.</summary>
    public IReadOnlyList<CleaningCount> Counts =>
    [
        .. removed.Select(pair => new CleaningCount(pair.Key, pair.Value.Count, pair.Value.Examples)),
    ];

    /// <summary>Looks at an example by itself; may run on any thread.</summary>
    public CleaningVerdict Look(Example example, JsonElement row, SourceOptions source)
    {
        var text = example.PlainText;
        var words = options.ExactDuplicates || minHash is not null || decontamination is not null ? WordHashes.Of(text) : [];
        return new CleaningVerdict(
            Reason(text, words, new RowColumns(row, source)),
            options.ExactDuplicates ? WordHashes.Whole(words) : null,
            minHash?.Signature(words),
            text.Length <= ShownCharacters ? text : text[..ShownCharacters]);
    }

    /// <summary>True when the example stays; must be called in order.</summary>
    public bool Keeps(CleaningVerdict verdict, RowPlace place)
    {
        var (rule, detail) = verdict.Rule is { } own ? (own, verdict.Detail) : Repeated(verdict, place);
        if (rule is null)
            return true;
        if (!removed.TryGetValue(rule, out var entry))
            entry = (0, []);
        if (entry.Examples.Count < KeptExamples)
            entry.Examples.Add($"{place}{(detail.Length > 0 ? $" ({detail})" : "")}: {verdict.Beginning.ReplaceLineEndings(" ")}");
        removed[rule] = (entry.Count + 1, entry.Examples);
        return false;
    }

    private (string? Rule, string Detail) Reason(string text, List<ulong> words, RowColumns row)
    {
        if (options.MinCharacters is { } min && text.Length < min)
            return ("shorter than min_characters", FormattableString.Invariant($"{text.Length}"));
        if (options.MaxCharacters is { } max && text.Length > max)
            return ("longer than max_characters", FormattableString.Invariant($"{text.Length}"));
        foreach (var filter in options.Columns)
        {
            if (!filter.Keeps(row))
                return ($"not {filter}", "");
        }
        if (humanEval?.Matches(text) == true)
            return ("contains a HumanEval docstring or solution", "");
        return decontamination?.Find(words) is { } set
            ? (FormattableString.Invariant($"shares {options.NGramWords} words in a row with {set}"), "")
            : (null, "");
    }

    private (string? Rule, string Detail) Repeated(CleaningVerdict verdict, RowPlace place)
    {
        places.Add(place);
        if (verdict.WholeHash is { } hash && !firstPlace.TryAdd(hash, places.Count - 1))
            return ("exact duplicate", $"of {places[firstPlace[hash]]}");
        if (verdict.Signature is { } signature && near!.FindOrKeep(signature, places.Count - 1) is >= 0 and var first)
            return ("near duplicate", $"of {places[first]}");
        return (null, "");
    }
}
