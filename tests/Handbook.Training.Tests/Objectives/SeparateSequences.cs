using Handbook.Autograd;
using Handbook.Autograd.Elementary;
using Handbook.Data.Packing;
using Handbook.Models;
using Handbook.Training.Objectives;
using Handbook.Training.Objectives.RewardModel;

namespace Handbook.Training.Tests.Objectives;

/// <summary>
/// Runs every sequence of a batch in a forward pass of its own: nothing is packed, no prompt is shared, nothing is padded.
/// </summary>
internal sealed class SeparatePolicy(CausalLanguageModel model) : IPolicy
{
    public HiddenStates Forward(Tape tape, TokenBatch batch) => new(
        tape.Concat([.. SeparateSequences.Of(batch).Select(sequence =>
            model.Forward(tape, sequence, SequenceLayout.Documents([sequence.Length]), ForwardOptions.Default).Hidden)]),
        model.Head);
}

/// <summary>Scores every sequence of a batch in a forward pass of its own.</summary>
internal sealed class SeparateScorer(SequenceClassifier model) : IRewardModel
{
    public Variable Score(Tape tape, TokenBatch batch, ReadOnlySpan<int> rows)
    {
        int[][] sequences = [.. SeparateSequences.Of(batch)];
        Assert.Equal(sequences.Length, rows.Length);
        var scores = sequences.Select(sequence =>
            model.Forward(tape, sequence, SequenceLayout.Documents([sequence.Length]), [sequence.Length - 1], ForwardOptions.Default));
        return tape.Reshape(tape.Concat([.. scores]), rows.Length);
    }
}

internal static class SeparateSequences
{
    /// <summary>Token ids of the sequences; each follows its own copy of its prompt, so that their rows follow one another too.</summary>
    internal static IEnumerable<int[]> Of(TokenBatch batch)
    {
        var segments = batch.Layout.Segments.ToArray();
        for (var i = 0; i < segments.Length; i++)
        {
            if (segments.Count(segment => segment.Prefix == i) is > 0 and var followers)
            {
                Assert.Equal(1, followers);
                continue;
            }
            var start = segments[i].Prefix < 0 ? segments[i].Start : segments[segments[i].Prefix].Start;
            yield return batch.TokenIds[start..segments[i].End];
        }
    }
}
