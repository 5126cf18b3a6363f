using Handbook.Data.Packing;

namespace Handbook.Training.Objectives;

/// <summary>
/// How many pairs a model tells apart. Two equal sequences are a tie, which counts as wrong: their scores differ by rounding at most,
/// which another processor or another place in the row may turn around.
/// </summary>
public static class PairAccuracy
{
    /// <summary>Number of pairs whose chosen sequence is another than the rejected one and stands above it.</summary>
    /// <param name="batch">The pairs: chosen, rejected, chosen, rejected ...</param>
    /// <param name="chosen">Scores or rewards of the chosen completions, one a pair.</param>
    /// <param name="rejected">Those of the rejected completions.</param>
    public static int Count(TokenBatch batch, double[] chosen, double[] rejected) =>
        chosen.Where((score, pair) => score > rejected[pair] && !IsTie(batch, pair)).Count();

    /// <summary>True when both sequences of a pair, prompt and completion, are the same tokens.</summary>
    private static bool IsTie(TokenBatch batch, int pair) =>
        Sequence(batch, batch.Completions[2 * pair]).SequenceEqual(Sequence(batch, batch.Completions[2 * pair + 1]));

    private static IEnumerable<int> Sequence(TokenBatch batch, int index)
    {
        var segment = batch.Layout.Segments[index];
        var own = Tokens(batch, segment);
        return segment.Prefix < 0 ? own : Tokens(batch, batch.Layout.Segments[segment.Prefix]).Concat(own);
    }

    private static IEnumerable<int> Tokens(TokenBatch batch, Segment segment) => batch.TokenIds.Skip(segment.Start).Take(segment.Length);
}
