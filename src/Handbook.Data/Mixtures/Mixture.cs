using Handbook.Data.Random;

namespace Handbook.Data.Mixtures;

/// <summary>The handbook's two ways of mixing datasets, row for row.</summary>
public static class Mixture
{
    private const long MixerSeed = 42;

    /// <summary>
    /// <c>dataset_mixture</c>: of each dataset the first <c>int(n * weight)</c> rows after <c>shuffle(seed)</c> (no weight: all rows
    /// as they are), concatenated, shuffled again, and split when a test size is given. The original pools official test
    /// splits with training rows and splits them at random; under <see cref="Profile.Best"/> they are evaluated on.
    /// </summary>
    /// <exception cref="UserErrorException">A weight is negative or above 1, or the test size does not fit.</exception>
    /// <param name="entries">The datasets.</param>
    /// <param name="seed">Seed of the shuffles and the split.</param>
    /// <param name="testSize">What is set aside for evaluation.</param>
    /// <param name="profile">Whose rules hold.</param>
    /// <param name="interleave">Training rows are taken by turns instead of shuffled together; null shuffles.</param>
    public static MixtureOrder Combine(
        IReadOnlyList<MixtureEntry> entries, long seed, SplitSize? testSize, Profile profile, InterleaveRule? interleave = null)
    {
        var notes = new List<string>();
        var keepTestApart = profile == Profile.Best && entries.Any(entry => entry.IsTest) && entries.Any(entry => !entry.IsTest);
        var (pooled, test) = (new List<MixtureRow>(), new List<MixtureRow>());
        for (var source = 0; source < entries.Count; source++)
        {
            var apart = keepTestApart && entries[source].IsTest;
            (apart ? test : pooled).AddRange(Select(entries[source], source, seed));
            if (apart)
                notes.Add($"{entries[source].Name}: the rows of split {entries[source].Split} are kept for "
                    + "evaluation; the original pools them with training rows");
            else if (entries[source].IsTest && profile != Profile.Best)
                notes.Add($"{entries[source].Name}: the rows of split {entries[source].Split} are "
                    + "pooled with training rows, as the original does");
        }
        if (keepTestApart)
        {
            if (testSize is not null)
                notes.Add($"test_split_size {testSize} is not needed: the test splits are the evaluation set");
            return new MixtureOrder(Together(pooled, seed, interleave), Shuffled(test, seed), notes);
        }
        var rows = Together(pooled, seed, interleave);
        if (testSize is null)
            return new MixtureOrder(rows, [], notes);
        var (trainIndices, testIndices) = TrainTestSplit.Split(rows.Length, testSize, null, seed);
        return new MixtureOrder(Array.ConvertAll(trainIndices, i => rows[i]), Array.ConvertAll(testIndices, i => rows[i]), notes);
    }

    /// <summary>
    /// <c>dataset_mixer</c> and <c>dataset_splits</c> of v0.3: of each training split the first <c>int(weight * n)</c> rows, of test
    /// splits all; each side concatenated and shuffled with seed 42. The original gives the n-th weight to the n-th training
    /// split and forgets the rest, which is wrong when a dataset has two; only <see cref="Profile.V03"/> does so here.
    /// </summary>
    /// <param name="datasets">The splits of each dataset, in the recipe's order; the weight of a dataset stands in each.</param>
    /// <param name="profile">Whose rules hold.</param>
    /// <exception cref="UserErrorException">
    /// A weight is negative or above 1, or a split is neither for training nor for testing.
    /// </exception>
    public static MixtureOrder Mix(IReadOnlyList<IReadOnlyList<MixtureEntry>> datasets, Profile profile)
    {
        var notes = new List<string>();
        var weights = datasets.Where(splits => splits.Count > 0).Select(splits => splits[0].Weight ?? 1).ToArray();
        var (train, test) = (new List<MixtureRow>(), new List<MixtureRow>());
        var (source, trainSplits) = (-1, 0);
        foreach (var entry in datasets.SelectMany(splits => splits))
        {
            source++;
            CheckWeight(entry, allowAboveOne: true);
            if (!entry.Split.Contains("train", StringComparison.Ordinal) && !entry.Split.Contains("test", StringComparison.Ordinal))
                throw new UserErrorException(
                    $"{entry.Name}: split {entry.Split} is neither a training nor a test split; expected a name with train or test");
            if (!entry.Split.Contains("train", StringComparison.Ordinal))
            {
                test.AddRange(Enumerable.Range(0, entry.Length).Select(row => new MixtureRow(source, row)));
                continue;
            }
            var weight = entry.Weight ?? 1;
            if (profile == Profile.V03 && trainSplits >= weights.Length)
            {
                notes.Add($"{entry.Name}: split {entry.Split} is left out, as the original "
                    + "does when datasets have several training splits");
                continue;
            }
            if (profile == Profile.V03 && weights[trainSplits] != weight)
            {
                notes.Add(FormattableString.Invariant(
                    $"{entry.Name}: split {entry.Split} gets the weight {weights[trainSplits]} of another dataset, as the original does"));
                weight = weights[trainSplits];
            }
            trainSplits++;
            train.AddRange(First(entry with { Weight = weight }, source));
        }
        return new MixtureOrder(Shuffled(train, MixerSeed), Shuffled(test, MixerSeed), notes);
    }

    private static IEnumerable<MixtureRow> First(MixtureEntry entry, int source)
    {
        CheckWeight(entry, allowAboveOne: false);
        return Enumerable.Range(0, (int)(entry.Weight!.Value * entry.Length)).Select(row => new MixtureRow(source, row));
    }

    private static IEnumerable<MixtureRow> Select(MixtureEntry entry, int source, long seed)
    {
        CheckWeight(entry, allowAboveOne: false);
        if (entry.Weight is not { } weight)
            return Enumerable.Range(0, entry.Length).Select(row => new MixtureRow(source, row));
        return new NumpyGenerator(seed).Permutation(entry.Length).Take((int)(entry.Length * weight))
            .Select(row => new MixtureRow(source, row));
    }

    private static void CheckWeight(MixtureEntry entry, bool allowAboveOne)
    {
        if (entry.Weight < 0)
            throw new UserErrorException(FormattableString.Invariant(
                $"Dataset fractions cannot be negative. {entry.Name} has {entry.Weight}; expected 0 to 1"));
        if (entry.Weight > 1 && !allowAboveOne)
            throw new UserErrorException(FormattableString.Invariant(
                $"{entry.Name}: weight {entry.Weight} asks for more rows than there are; expected 0 to 1"));
    }

    private static MixtureRow[] Together(List<MixtureRow> pooled, long seed, InterleaveRule? interleave) => interleave is null
        ? Shuffled(pooled, seed)
        : interleave.Order([.. pooled.GroupBy(row => row.Source).OrderBy(group => group.Key).Select(group => group.ToArray())], seed);

    private static MixtureRow[] Shuffled(List<MixtureRow> rows, long seed)
    {
        var order = new NumpyGenerator(seed).Permutation(rows.Count);
        return Array.ConvertAll(order, i => rows[i]);
    }
}
