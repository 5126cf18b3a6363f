using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Handbook.Data.Store;

namespace Handbook.Data.Inspection;

/// <summary>Preference data that teaches nothing or little: completions that are the same,
/// said to be both good and bad, or empty.</summary>
public static class IdleCompletions
{
    /// <summary>A line for each kind that a training set of pairs or verdicts holds, the number and the first place with it.</summary>
    /// <param name="store">Prepared data.</param>
    /// <param name="isSpecial">Whether a token is a special one: a completion of these alone says nothing.</param>
    public static IEnumerable<string> Warnings(TokenStore store, Predicate<int> isSpecial) => store.Kind switch
    {
        StoreKind.Pairs => OfPairs(store, isSpecial),
        StoreKind.Verdicts => OfVerdicts(store, isSpecial),
        _ => [],
    };

    private static IEnumerable<string> OfPairs(TokenStore store, Predicate<int> isSpecial)
    {
        var (equal, empty) = (new Found(), new Found());
        for (var row = 0; row < store.Train.RowCount; row++)
        {
            var pair = store.Train.Pair(row);
            if (pair.Chosen.AsSpan().SequenceEqual(pair.Rejected))
                equal.Add(pair.ExampleId);
            else if (Array.TrueForAll(pair.Chosen, isSpecial) || Array.TrueForAll(pair.Rejected, isSpecial))
                empty.Add(pair.ExampleId);
        }
        if (equal.Count > 0)
            yield return equal.Tell(store, "pairs", "nothing", "chosen and rejected are the same tokens");
        if (empty.Count > 0)
            yield return empty.Tell(store, "pairs", "little", "chosen or rejected is empty");
    }

    private static IEnumerable<string> OfVerdicts(TokenStore store, Predicate<int> isSpecial)
    {
        var (both, empty) = (new Found(), new Found());
        var verdicts = new Dictionary<UInt128, (bool Liked, long Example, bool IsBoth)>();
        for (var row = 0; row < store.Train.RowCount; row++)
        {
            var example = store.Train.Verdict(row);
            if (Array.TrueForAll(example.Completion, isSpecial))
                empty.Add(example.ExampleId);
            var key = Key(example.Prompt, example.Completion);
            if (!verdicts.TryGetValue(key, out var before))
            {
                verdicts[key] = (example.Desirable, example.ExampleId, false);
                continue;
            }
            if (!before.IsBoth && before.Liked == example.Desirable)
                continue;
            if (!before.IsBoth)
                both.Add(before.Example);
            both.Add(example.ExampleId);
            verdicts[key] = before with { IsBoth = true };
        }
        if (both.Count > 0)
            yield return both.Tell(store, "answers", "nothing",
                "the same answer to the same prompt has the label true and the label false");
        if (empty.Count > 0)
            yield return empty.Tell(store, "answers", "little", "it is empty");
    }

    private static UInt128 Key(ReadOnlySpan<int> prompt, ReadOnlySpan<int> completion)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(BitConverter.GetBytes(prompt.Length));
        hash.AppendData(MemoryMarshal.AsBytes(prompt));
        hash.AppendData(MemoryMarshal.AsBytes(completion));
        return MemoryMarshal.Read<UInt128>(hash.GetHashAndReset());
    }

    /// <summary>Examples of a kind: how many, and the first.</summary>
    private sealed class Found
    {
        private long first = -1;

        public int Count { get; private set; }

        public void Add(long example)
        {
            if (Count++ == 0)
                first = example;
        }

        public string Tell(TokenStore store, string what, string howMuch, string why) => string.Create(CultureInfo.InvariantCulture,
            $"warning: {Count} of {store.Train.RowCount} training {what} "
                + $"{Quantity.Word(Count, "teaches", "teach")} {howMuch}: {why}, as in {store.Describe(first)}");
    }
}
