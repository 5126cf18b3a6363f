using CsCheck;
using Handbook.Tokenizers.Fast;
using Handbook.Tokenizers.Models;

namespace Handbook.Tokenizers.Tests;

public sealed class MergingTests
{
    [Fact]
    public void Merge_LongWords_IsThatOfRepeatedlyTakingTheLowestRank()
    {
        // Ids 0 to 3 are letters; merge i makes id 4 + i out of two earlier ids.
        var merges = Gen.Select(Gen.Int[0, 1000], Gen.Int[0, 1000]).Array[1, 30].Select(pairs =>
            pairs.Select((pair, i) => (Left: pair.Item1 % (4 + i), Right: pair.Item2 % (4 + i))).Distinct().ToArray());
        Gen.Select(merges, Gen.Int[0, 3].Array[1, 200]).Sample((list, word) =>
        {
            var table = new MergeTable(list.Length);
            for (var i = 0; i < list.Length; i++)
                table.Add(list[i].Left, list[i].Right, i, 4 + i);
            var symbols = new SymbolList();
            foreach (var id in word)
                symbols.Add(id, 1);
            symbols.Merge(table);
            Assert.Equal(MergeByDefinition(list, word), symbols.Symbols.ToArray().Select(symbol => symbol.Id));
            Assert.Equal(word.Length, symbols.Symbols.ToArray().Sum(symbol => symbol.Length));
        }, iter: 2000, threads: 1);
    }

    [Fact]
    public void WordCache_MoreWordsThanItKeeps_StaysRight()
    {
        var (cache, output) = (new WordCache(), new TokenBuffer());
        for (var round = 0; round < 100_000; round++)
        {
            var word = $"word{round * 7919 % 50_000}, rather long at times{(round % 3 == 0 ? " and more" : "")}";
            var (key, id) = (new WordKey(word), round * 7919 % 50_000 * 2 + (round % 3 == 0 ? 1 : 0));
            output.Clear();
            if (!cache.TryAppend(word, key, 5, output))
            {
                cache.Add(word, key, [id, 7], [new TextRange(0, 4), new TextRange(4, word.Length)]);
                continue;
            }
            Assert.Equal((id, new TextRange(5, 9), new TextRange(9, 5 + word.Length)), (output.Ids[0], output.Ranges[0], output.Ranges[1]));
        }
    }

    [Fact]
    public void JoinTable_PairInsideAToken_MayJoin()
    {
        var table = new JoinTable(["abc", "\u2581\u4E2D\u6587"]);
        Assert.True(table.MayJoin('a', 'b') && table.MayJoin('b', 'c') && table.MayJoin('\u2581', '\u4E2D'));
        Assert.False(table.MayJoin('c', 'a') || table.MayJoin('b', 'a') || table.MayJoin('a', '\u2581'));
    }

    private static List<int> MergeByDefinition((int Left, int Right)[] merges, int[] word)
    {
        var ids = word.ToList();
        while (true)
        {
            var (best, at) = (int.MaxValue, -1);
            for (var i = 0; i + 1 < ids.Count; i++)
            {
                var rank = Array.IndexOf(merges, (ids[i], ids[i + 1]));
                if (rank >= 0 && rank < best)
                    (best, at) = (rank, i);
            }
            if (at < 0)
                return ids;
            ids[at] = 4 + best;
            ids.RemoveAt(at + 1);
        }
    }
}
