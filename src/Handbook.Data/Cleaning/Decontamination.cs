using System.Text.Json;
using Handbook.Data.Sources;

namespace Handbook.Data.Cleaning;

/// <summary>
/// Finds word runs of evaluation sets in training examples. An item shorter than the run counts as a whole, from five words
/// on.
/// </summary>
internal sealed class Decontamination
{
    private const int FewestWords = 5;
    private readonly Dictionary<int, Dictionary<ulong, string>> setOfRun = [];

    /// <summary>Reads the sets.</summary>
    public Decontamination(
        IReadOnlyList<EvaluationSet> sets, int runWords, IReadOnlyList<IDatasetResolver> resolvers, SourceOptions options)
    {
        foreach (var set in sets)
        {
            foreach (var row in RowSource.OpenSplitOrAll(set.Dataset, resolvers, options).Read())
            {
                using var document = Parse(row);
                foreach (var text in Texts(document.RootElement))
                    Add(set.Name, WordHashes.Of(text), runWords);
            }
        }
    }

    /// <summary>The name of the set that a text's words contain a run of, or null.</summary>
    public string? Find(List<ulong> words)
    {
        foreach (var (length, runs) in setOfRun)
        {
            foreach (var run in WordHashes.Runs(words, length))
            {
                if (runs.TryGetValue(run, out var name))
                    return name;
            }
        }
        return null;
    }

    /// <summary>Every text in a JSON value.</summary>
    internal static IEnumerable<string> Texts(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => [value.GetString()!],
        JsonValueKind.Array => value.EnumerateArray().SelectMany(Texts),
        JsonValueKind.Object => value.EnumerateObject().SelectMany(property => Texts(property.Value)),
        _ => [],
    };

    internal static JsonDocument Parse(SourceRow row)
    {
        try
        {
            return row.Parse();
        }
        catch (BadRowException e)
        {
            throw new UserErrorException(e.Message, e);
        }
    }

    private void Add(string name, List<ulong> words, int runWords)
    {
        if (words.Count < FewestWords)
            return;
        var length = Math.Min(runWords, words.Count);
        if (!setOfRun.TryGetValue(length, out var runs))
            setOfRun[length] = runs = [];
        foreach (var run in WordHashes.Runs(words, length))
            runs.TryAdd(run, name);
    }
}
