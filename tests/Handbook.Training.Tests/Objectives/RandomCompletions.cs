using Handbook.Autograd;
using Handbook.Data.Packing;

namespace Handbook.Training.Tests.Objectives;

/// <summary>Prompts and answers of random tokens.</summary>
internal static class RandomCompletions
{
    /// <summary>Ordinary pairs and the strange ones: no prompt, equal answers, answers of one token, and no label at all.</summary>
    internal static PreferencePair[] Pairs()
    {
        var tokens = new TokenSource(5);
        var equal = tokens.Take(4);
        return
        [
            Pair(tokens.Take(7), tokens.Take(5), tokens.Take(3), 0),
            Pair(tokens.Take(1), tokens.Take(2), tokens.Take(6), 1),
            Pair([], tokens.Take(4), tokens.Take(3), 2),
            Pair(tokens.Take(5), equal, equal, 3),
            Pair(tokens.Take(9), tokens.Take(1), tokens.Take(1), 4),
            Pair([], tokens.Take(1), tokens.Take(1), 5),
            Pair(tokens.Take(3), tokens.Take(4), tokens.Take(8), 6),
        ];
    }

    /// <summary>Pairs of these lengths: prompt, chosen, rejected.</summary>
    internal static PreferencePair[] Pairs(ulong seed, IEnumerable<(int Prompt, int Chosen, int Rejected)> lengths)
    {
        var tokens = new TokenSource(seed);
        return
        [
            .. lengths.Select((length, i) => Pair(tokens.Take(length.Prompt), tokens.Take(length.Chosen), tokens.Take(length.Rejected), i)),
        ];
    }

    /// <summary>Judged answers, one of a single token, two equal ones judged differently.</summary>
    internal static UnpairedExample[] Verdicts()
    {
        var tokens = new TokenSource(6);
        var (prompt, equal) = (tokens.Take(4), tokens.Take(3));
        (int[] Prompt, int[] Answer, bool Liked)[] examples =
        [
            (tokens.Take(6), tokens.Take(5), true), (tokens.Take(2), tokens.Take(1), false), (prompt, equal, true), (prompt, equal, false),
            (tokens.Take(1), tokens.Take(7), true), (tokens.Take(8), tokens.Take(2), true), (tokens.Take(3), tokens.Take(4), false),
        ];
        return
        [
            .. examples.Select((example, i) => new UnpairedExample(
                example.Prompt, example.Answer, example.Liked, i, examples[(i + examples.Length - 1) % examples.Length].Answer)),
        ];
    }

    private static PreferencePair Pair(int[] prompt, int[] chosen, int[] rejected, int index) =>
        new(prompt, chosen, rejected, index, index % 2 == 0 ? 0.1 * index : null);

    private sealed class TokenSource(ulong seed)
    {
        private readonly RandomStream random = new(seed);
        private ulong next;

        internal int[] Take(int count) => [.. Enumerable.Range(0, count).Select(_ => (int)(random.Bits(next++) % SmallModels.Vocabulary))];
    }
}
