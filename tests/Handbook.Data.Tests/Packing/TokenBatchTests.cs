using Handbook.Data.Packing;

namespace Handbook.Data.Tests.Packing;

public sealed class TokenBatchTests
{
    [Fact]
    public void Constructor_FirstTokenOfADocument_IsNeverALabel()
    {
        var batch = new TokenBatch([5, 6, 7, 8], [true, true, true, true], SequenceLayout.Documents([1, 3]), [0, 1]);
        Assert.Equal([false, false, true, true], batch.LossMask);
        Assert.Equal(2, batch.LossTokenCount);
        Assert.Equal([-1, -1, 1, 2], batch.Layout.Predecessors());
        Assert.Equal([0, 0, 1, 2], batch.Layout.Positions());
    }

    [Fact]
    public void ToSharedPrefix_Pair_LetsBothAnswersContinueThePrompt()
    {
        var batch = new PreferencePair([1, 2, 3], [4, 5], [6], 9).ToSharedPrefix();
        Assert.Equal([1, 2, 3, 4, 5, 6], batch.TokenIds);
        Assert.Equal([0, 1, 2, 3, 4, 3], batch.Layout.Positions());
        Assert.Equal([-1, 0, 1, 2, 3, 2], batch.Layout.Predecessors());
        Assert.Equal([false, false, false, true, true, true], batch.LossMask);
        Assert.Equal([9], batch.ExampleIds);
    }

    [Fact]
    public void ToSequences_Pair_HasTheSharedFormsLabelsEachAfterItsOwnPrompt()
    {
        var batch = new PreferencePair([1, 2, 3], [4, 5], [6], 9).ToSequences();
        Assert.Equal([1, 2, 3, 4, 5, 1, 2, 3, 6], batch.TokenIds);
        Assert.Equal([false, false, false, true, true, false, false, false, true], batch.LossMask);
        Assert.Equal([0, 1, 2, 3, 4, 0, 1, 2, 3], batch.Layout.Positions());
    }

    [Fact]
    public void Concatenate_Pairs_ShiftsStartsAndPrefixes()
    {
        var batch = TokenBatch.Concatenate([new PreferencePair([1], [2], [3], 0).ToSharedPrefix(),
            new PreferencePair([4, 5], [6], [7], 1).ToSharedPrefix()]);
        Assert.Equal([1, 2, 3, 4, 5, 6, 7], batch.TokenIds);
        Assert.Equal(new SequenceLayout(new Segment(0, 1), new Segment(1, 1, 1, 0), new Segment(2, 1, 1, 0),
            new Segment(3, 2), new Segment(5, 1, 2, 3), new Segment(6, 1, 2, 3)), batch.Layout);
        Assert.Equal([0, 1], batch.ExampleIds);
    }

    [Fact]
    public void Layout_ThatDoesNotFit_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => new SequenceLayout(new Segment(1, 2)));
        Assert.Throws<ArgumentException>(() => new SequenceLayout(new Segment(0, 0)));
        Assert.Throws<ArgumentException>(() => new SequenceLayout(new Segment(0, 2), new Segment(2, 1, 1, 0)));
        Assert.Throws<ArgumentException>(() => new SequenceLayout(new Segment(0, 2), new Segment(2, 1, 2, 1)));
        Assert.Throws<ArgumentException>(() => new TokenBatch([1], [true, true], SequenceLayout.Documents([1]), []));
    }

    /// <summary>An answer's log-probability is decided by what stands before it: a prompt of another length is another prompt.</summary>
    [Theory]
    [InlineData(0, 2, false)]
    [InlineData(3, 0, false)]
    [InlineData(3, 0, true)]
    public void ToSharedPrefix_AnswersThatSeeUnlikePrompts_StandBehindTheirOwn(int unseenByChosen, int unseenByRejected, bool promptLabels)
    {
        int[] prompt = [1, 2, 3], chosen = [11, 12], rejected = [21];
        var pair = new PreferencePair(prompt, chosen, rejected, 7) { UnseenByChosen = unseenByChosen, UnseenByRejected = unseenByRejected };

        var row = pair.ToSharedPrefix(promptLabels);

        int[][] behind = [.. row.Completions.Select(answer => row.Layout.Segments[answer] switch
        {
            { Prefix: >= 0 } segment => Tokens(row, row.Layout.Segments[segment.Prefix]).Concat(Tokens(row, segment)).ToArray(),
            var segment => Tokens(row, segment),
        })];
        Assert.Equal([[.. prompt[unseenByChosen..], .. chosen], [.. prompt[unseenByRejected..], .. rejected]], behind);
        Assert.Equal(pair.ToSequences().TokenIds, row.TokenIds);
        // The first token of a sequence is predicted from nothing.
        Assert.Equal(
            promptLabels
                ? row.TokenCount - 2
                : chosen.Length + rejected.Length - row.Completions.Count(answer => row.Layout.Segments[answer].Prefix < 0),
                row.LossTokenCount);
    }

    private static int[] Tokens(TokenBatch row, Segment segment) => row.TokenIds[segment.Start..segment.End];
}
