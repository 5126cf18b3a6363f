using System.Globalization;
using Handbook.Data.Random;

namespace Handbook.Data.Mixtures;

/// <summary>
/// <c>Dataset.train_test_split</c> of the datasets library: its rounding (test up, train down), its order and its messages.
/// </summary>
public static class TrainTestSplit
{
    /// <summary>The rows of both sides, in the reference's order.</summary>
    /// <param name="count">Number of rows.</param>
    /// <param name="test">Size of the test side; null: what train leaves, or a quarter.</param>
    /// <param name="train">Size of the train side; null: what test leaves.</param>
    /// <param name="seed">Seed of the permutation.</param>
    /// <param name="shuffle">False: train is the beginning, test follows.</param>
    /// <exception cref="UserErrorException">The sizes do not fit the number of rows.</exception>
    public static (int[] Train, int[] Test) Split(int count, SplitSize? test, SplitSize? train, long seed, bool shuffle = true)
    {
        var (trainCount, testCount) = Counts(count, test, train);
        if (!shuffle)
            return ([.. Enumerable.Range(0, trainCount)], [.. Enumerable.Range(trainCount, testCount)]);
        var order = new NumpyGenerator(seed).Permutation(count);
        return (order[testCount..(testCount + trainCount)], order[..testCount]);
    }

    /// <summary>The stratified variant (<c>stratify_by_column</c>): shares of the classes stay as they are.</summary>
    /// <param name="labels">The class of each row.</param>
    /// <param name="test">Size of the test side; null: what train leaves, or a quarter.</param>
    /// <param name="train">Size of the train side; null: what test leaves.</param>
    /// <param name="seed">Seed of the draws.</param>
    /// <exception cref="UserErrorException">The sizes do not fit, or a class has a single row.</exception>
    public static (int[] Train, int[] Test) Stratified(ReadOnlySpan<int> labels, SplitSize? test, SplitSize? train, long seed)
    {
        var (trainCount, testCount) = Counts(labels.Length, test, train);
        var classes = new SortedDictionary<int, List<int>>();
        for (var row = 0; row < labels.Length; row++)
        {
            if (!classes.TryGetValue(labels[row], out var rows))
                classes[labels[row]] = rows = [];
            rows.Add(row);
        }
        var members = classes.Values.ToArray();
        if (members.Min(rows => rows.Count) < 2)
            throw new UserErrorException("stratified split: the least populated class has only 1 member; at least 2 are needed");
        if (trainCount < members.Length || testCount < members.Length)
            throw new UserErrorException(string.Create(CultureInfo.InvariantCulture,
                $"stratified split: {Math.Min(trainCount, testCount)} rows on one side; at "
                    + $"least one for each of {members.Length} classes is needed"));

        var random = new NumpyGenerator(seed);
        var trainShares = ApproximateMode([.. members.Select(rows => rows.Count)], trainCount, random);
        var testShares = ApproximateMode([.. members.Select((rows, i) => rows.Count - trainShares[i])], testCount, random);
        var (trainRows, testRows) = (new List<int>(), new List<int>());
        for (var i = 0; i < members.Length; i++)
        {
            var order = random.Permutation(members[i].Count);
            trainRows.AddRange(order[..trainShares[i]].Select(j => members[i][j]));
            testRows.AddRange(order[trainShares[i]..(trainShares[i] + testShares[i])].Select(j => members[i][j]));
        }
        var result = (trainRows.ToArray(), testRows.ToArray());
        random.Shuffle(result.Item1);
        random.Shuffle(result.Item2);
        return result;
    }

    private static (int Train, int Test) Counts(int count, SplitSize? test, SplitSize? train)
    {
        var testOrDefault = test is null && train is null ? SplitSize.Fraction(0.25) : test;
        Check("test_size", testOrDefault, count);
        Check("train_size", train, count);
        if (testOrDefault is { IsFraction: true } t && train is { IsFraction: true } r && t.Value + r.Value > 1)
        {
            throw new UserErrorException(
                $"The sum of test_size and train_size = {SplitSize.PythonFloat(r.Value + t.Value)}, "
                + "should be in the (0, 1) range. Reduce test_size and/or train_size.");
        }
        var testCount = testOrDefault is { } size ? size.IsFraction ? Math.Ceiling(size.Value * count) : size.Value : -1;
        var trainCount = train is { } share ? share.IsFraction ? Math.Floor(share.Value * count) : share.Value : count - testCount;
        if (testCount < 0)
            testCount = count - trainCount;
        if (trainCount + testCount > count)
        {
            throw new UserErrorException(string.Create(CultureInfo.InvariantCulture,
                $"The sum of train_size and test_size = {SplitSize.PythonFloat(trainCount + testCount)}, should be smaller than the "
                    + $"number of samples {count}. Reduce test_size and/or train_size."));
        }
        if (trainCount == 0)
        {
            throw new UserErrorException(string.Create(CultureInfo.InvariantCulture,
                $"With n_samples={count}, test_size={Show(testOrDefault)} and train_size={Show(train)}, the resulting train set will be "
                    + $"empty. Adjust any of the aforementioned parameters."));
        }
        return ((int)trainCount, (int)testCount);
    }

    private static void Check(string name, SplitSize? size, int count)
    {
        if (size is { } s && (s.Value <= 0 || s.Value >= (s.IsFraction ? 1 : count)))
        {
            throw new UserErrorException(FormattableString.Invariant(
                $"{name}={s} should be either positive and smaller than the number of samples {count} or a float in the (0, 1) range"));
        }
    }

    private static string Show(SplitSize? size) => size?.ToString() ?? "None";

    /// <summary>
    /// Near the most likely outcome of drawing without replacement from classes of these sizes: shares rounded down, then
    /// the largest remainders rounded up, ties decided by the generator.
    /// </summary>
    private static int[] ApproximateMode(int[] classCounts, int draws, NumpyGenerator random)
    {
        var total = (double)classCounts.Sum();
        var exact = classCounts.Select(count => (double)draws * count / total).ToArray();
        var shares = exact.Select(value => (int)Math.Floor(value)).ToArray();
        var missing = draws - shares.Sum();
        var remainders = exact.Select((value, i) => value - shares[i]).ToArray();
        foreach (var remainder in remainders.Distinct().OrderDescending())
        {
            if (missing <= 0)
                break;
            int[] tied = [.. Enumerable.Range(0, shares.Length).Where(i => remainders[i] == remainder)];
            var added = Math.Min(tied.Length, missing);
            foreach (var i in random.ChoiceWithoutReplacement(tied, added))
                shares[i]++;
            missing -= added;
        }
        return shares;
    }
}
