using CsCheck;
using Handbook.Data.Packing;
using Handbook.Data.Random;

namespace Handbook.Data.Tests.Packing;

public sealed class PackerTests
{
    private static readonly Gen<int[]> Lengths = Gen.Int[0, 90].Array[0, 120];

    [Fact]
    public void Plan_AnyLengthsAndStrategy_AccountsForEveryToken() =>
        Gen.Select(Lengths, Gen.Int[1, 64], Gen.Enum<PackingStrategy>(), Gen.Enum<OverlongPolicy>())
            .Sample((lengths, max, strategy, overlong) =>
        {
            var options = new PackingOptions { MaxLength = max, Strategy = strategy, Overlong = overlong };
            var plan = Packer.Plan(lengths, options, [.. lengths.Select(l => l * 40)]);
            var seen = lengths.Select(length => new int[length]).ToArray();
            for (var row = 0; row < plan.RowCount; row++)
            {
                Assert.InRange(plan.RowLength(row), 1, max);
                foreach (var piece in plan.Row(row))
                {
                    for (var i = 0; i < piece.Length; i++)
                        seen[piece.Document][piece.Start + i]++;
                }
            }
            Assert.All(seen.SelectMany(s => s), count => Assert.InRange(count, 0, 1));
            Assert.Equal(lengths.Sum(), plan.TokenCount + plan.Counts.LostTokens);
            if (overlong == OverlongPolicy.Split && strategy != PackingStrategy.Legacy)
                Assert.Equal(0, plan.Counts.LostTokens);
        });

    [Theory]
    [InlineData(PackingStrategy.BestFit, int.MaxValue)]
    [InlineData(PackingStrategy.BestFitBy1000, 1000)]
    public void Plan_BestFit_EqualsThePlainRule(PackingStrategy strategy, int batch) =>
        Gen.Select(Gen.Int[1, 300].Array[0, 1300], Gen.Int[300, 6000]).Sample((lengths, max) =>
        {
            var plan = Packer.Plan(lengths, new PackingOptions { MaxLength = max, Strategy = strategy });
            var expected = new List<List<int>>();
            for (var start = 0; start < lengths.Length; start += Math.Min(batch, lengths.Length - start))
                expected.AddRange(PlainBestFit(lengths, start, Math.Min(batch, lengths.Length - start), max));
            Assert.Equal(expected.Count, plan.RowCount);
            for (var row = 0; row < plan.RowCount; row++)
                Assert.Equal(expected[row], plan.Row(row).ToArray().Select(p => p.Document));
        }, iter: 4);

    [Fact]
    public void Plan_Ffd_EqualsTheRuleByHand()
    {
        // By hand: 3 and 3 open rows; 2 fits neither; each 1 goes where one place is left, the older row first.
        var plan = Packer.Plan([3, 1, 2, 3, 1], new PackingOptions { MaxLength = 4, Strategy = PackingStrategy.BestFitBy1000 });
        Assert.Equal([[0, 1], [3, 4], [2]],
            Enumerable.Range(0, plan.RowCount).Select(row => plan.Row(row).ToArray().Select(p => p.Document)));
    }

    [Fact]
    public void Plan_Wrapped_CutsOneStreamAndKeepsTheRest()
    {
        var plan = Packer.Plan([3, 0, 6, 2], new PackingOptions { MaxLength = 4, Strategy = PackingStrategy.Wrapped });
        Assert.Equal([new Piece(0, 0, 3), new Piece(2, 0, 1)], plan.Row(0).ToArray());
        Assert.Equal([new Piece(2, 1, 4)], plan.Row(1).ToArray());
        Assert.Equal([new Piece(2, 5, 1), new Piece(3, 0, 2)], plan.Row(2).ToArray());
        Assert.Equal(3, plan.RowCount);
        Assert.Equal(1, plan.Counts.Split);
    }

    [Fact]
    public void Plan_WrappedBy1000_BeginsANewStreamAfter1000Documents()
    {
        var plan = Packer.Plan(Enumerable.Repeat(3, 1001).ToArray(),
            new PackingOptions { MaxLength = 2000, Strategy = PackingStrategy.WrappedBy1000 });
        Assert.Equal([2000, 1000, 3], Enumerable.Range(0, plan.RowCount).Select(plan.RowLength));
    }

    [Fact]
    public void Plan_Legacy_FillsByCharactersDropsTheRestAndShuffles()
    {
        // max_length 5: a buffer takes 5 * 3.6 * 1024 = 18432 characters, here two documents; of its 21 tokens 4 rows stay.
        var plan = Packer.Plan([10, 11, 7], new PackingOptions { MaxLength = 5, Strategy = PackingStrategy.Legacy, Seed = 42 },
            [18000, 432, 100]);
        int[] order = [0, 1, 2, 3];
        var random = new PythonRandom(42);
        random.Sample(3, 3);
        random.Shuffle<int>(order);
        Piece[][] rows = [[new(0, 0, 5)], [new(0, 5, 5)], [new(1, 0, 5)], [new(1, 5, 5)]];
        for (var row = 0; row < 4; row++)
            Assert.Equal(rows[order[row]], plan.Row(row).ToArray());
        Assert.Equal([new Piece(2, 0, 5)], plan.Row(4).ToArray());
        Assert.Equal(5, plan.RowCount);
        Assert.Equal(3, plan.Counts.LostTokens);
    }

    [Fact]
    public void Plan_LegacyWithoutCharacters_SaysSo() => Assert.Throws<ArgumentException>(
        () => Packer.Plan([1, 2], new PackingOptions { MaxLength = 5, Strategy = PackingStrategy.Legacy }));

    [Theory]
    [InlineData(OverlongPolicy.KeepStart, 0, 4, 1, 0)]
    [InlineData(OverlongPolicy.KeepEnd, 6, 4, 1, 0)]
    [InlineData(OverlongPolicy.Drop, -1, 0, 0, 1)]
    public void Plan_DocumentLongerThanARow_FollowsThePolicyAndCounts(
        OverlongPolicy policy, int start, int length, int truncated, int dropped)
    {
        var plan = Packer.Plan([10], new PackingOptions { MaxLength = 4, Overlong = policy });
        if (start < 0)
            Assert.Equal(0, plan.RowCount);
        else
            Assert.Equal([new Piece(0, start, length)], plan.Row(0).ToArray());
        Assert.Equal((truncated, dropped), (plan.Counts.Truncated, plan.Counts.Dropped));
    }

    [Fact]
    public void Plan_AMillionDocuments_FillsRowsAlmostCompletely()
    {
        var random = new PythonRandom(5);
        var lengths = new int[1_000_000];
        for (var i = 0; i < lengths.Length; i++)
            lengths[i] = 1 + random.Below(700);
        var plan = Packer.Plan(lengths, new PackingOptions { MaxLength = 2048 });
        Assert.True(plan.Efficiency(2048) > 0.999, $"efficiency {plan.Efficiency(2048)}");
    }

    private static List<List<int>> PlainBestFit(int[] lengths, int first, int count, int max)
    {
        var bins = new List<(List<int> Members, int Space, long Touched)>();
        var clock = 0L;
        foreach (var document in Enumerable.Range(first, count).OrderByDescending(d => Math.Min(lengths[d], max)))
        {
            var length = Math.Min(lengths[document], max);
            var best = Enumerable.Range(0, bins.Count).Where(b => bins[b].Space >= length).OrderBy(b => (bins[b].Space, bins[b].Touched))
                .FirstOrDefault(-1);
            if (best < 0)
            {
                best = bins.Count;
                bins.Add(([], max, 0));
            }
            bins[best].Members.Add(document);
            bins[best] = (bins[best].Members, bins[best].Space - length, clock++);
        }
        return [.. bins.Select(b => b.Members)];
    }
}
