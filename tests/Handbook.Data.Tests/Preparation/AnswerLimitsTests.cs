using Handbook.Data.Mixtures;
using Handbook.Data.Packing;
using Handbook.Data.Preparation;

namespace Handbook.Data.Tests.Preparation;

public sealed class AnswerLimitsTests
{
    private static readonly int[] Prompt = [1, 2, 3, 4, 5, 6];
    private static readonly int[] Chosen = [11, 12, 13, 14];
    private static readonly int[] Rejected = [21, 22];

    [Fact]
    public void Cut_WithinTheLimits_ChangesNothing()
    {
        foreach (var profile in Enum.GetValues<Profile>())
            Assert.Equal([Prompt, Chosen, Rejected],
                new AnswerLimits { MaxLength = 10, MaxPromptLength = 6, MaxCompletionLength = 4, Profile = profile }
                    .Cut(Prompt, Chosen, Rejected)!);
    }

    [Fact]
    public void Cut_Best_TakesFromThePromptsBeginningFirst()
    {
        Assert.Equal([[4, 5, 6], Chosen, Rejected], new AnswerLimits { MaxLength = 7 }.Cut(Prompt, Chosen, Rejected)!);
        // The answer alone is too long: one prompt token stays, and the answer loses its end.
        Assert.Equal([[6], [11, 12], Rejected], new AnswerLimits { MaxLength = 3 }.Cut(Prompt, Chosen, Rejected)!);
        Assert.Equal([[5, 6], [11, 12, 13], Rejected],
            new AnswerLimits { MaxPromptLength = 2, MaxCompletionLength = 3 }.Cut(Prompt, Chosen, Rejected)!);
    }

    [Fact]
    public void Cut_Trl019_AlwaysCutsThePromptThenTheRow()
    {
        var limits = new AnswerLimits { MaxLength = 5, MaxPromptLength = 4, MaxCompletionLength = 3, Profile = Profile.Trl019 };
        Assert.Equal([[4, 5, 6], [11, 12, 13], Rejected], limits.Cut(Prompt, Chosen, Rejected)!);
        Assert.Equal([[3, 4, 5, 6], [11], [21]], (limits with { Overlong = OverlongPolicy.KeepStart }).Cut(Prompt, Chosen, Rejected)!);
    }

    [Fact]
    public void Cut_V03_CutsThePromptOnlyWhenTheRowIsTooLong()
    {
        var limits = new AnswerLimits { MaxLength = 10, MaxPromptLength = 2, Profile = Profile.V03 };
        Assert.Equal([Prompt, Chosen, Rejected], limits.Cut(Prompt, Chosen, Rejected)!);
        Assert.Equal([[5, 6], Chosen, Rejected], (limits with { MaxLength = 9 }).Cut(Prompt, Chosen, Rejected)!);
        Assert.Equal([[5, 6], [11, 12, 13], Rejected], (limits with { MaxLength = 5 }).Cut(Prompt, Chosen, Rejected)!);
    }

    [Fact]
    public void Cut_ToldWhatToDo_DoesItInEveryProfile()
    {
        var limits = new AnswerLimits { MaxLength = 5, MaxPromptLength = 4 };
        Assert.Equal([[4, 5, 6], [11, 12, 13, 14], Rejected],
            (limits with { Overlong = OverlongPolicy.KeepEnd }).Cut(Prompt, Chosen, Rejected)!);
        Assert.Equal([[3, 4, 5, 6], [11], [21]], (limits with { Overlong = OverlongPolicy.KeepStart }).Cut(Prompt, Chosen, Rejected)!);
        Assert.Equal([[1, 2, 3, 4], [11], [21]],
            (limits with { Overlong = OverlongPolicy.KeepStart, Profile = Profile.V03 }).Cut(Prompt, Chosen, Rejected)!);
        foreach (var profile in Enum.GetValues<Profile>())
        {
            Assert.Null((limits with { Overlong = OverlongPolicy.Drop, Profile = profile }).Cut(Prompt, Chosen, Rejected));
            Assert.NotNull((limits with { Overlong = OverlongPolicy.Drop, MaxLength = 10, Profile = profile })
                .Cut(Prompt, Chosen, Rejected));
        }
    }

    /// <summary>As TRL cuts prompt and answer together to their last tokens, each row of a pair for itself.</summary>
    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(7)]
    [InlineData(9)]
    [InlineData(20)]
    public void Cut_KeepEnd_CutsEachSequenceAlone(int max)
    {
        var limits = new AnswerLimits { MaxLength = max, Overlong = OverlongPolicy.KeepEnd };
        var (prompt, chosen, rejected) = limits.Cut(Prompt, Chosen, Rejected) is [var p, var c, var r] ? (p, c, r) : default;
        int[] Alone(int[] answer) => [.. Prompt.Concat(answer).TakeLast(max)];

        Assert.Equal<int[]>(Alone(Chosen), [.. prompt[limits.Unseen(prompt, chosen)..], .. chosen]);
        Assert.Equal<int[]>(Alone(Rejected), [.. prompt[limits.Unseen(prompt, rejected)..], .. rejected]);
    }

    [Fact]
    public void Cut_AnswerWithoutAnyTokenLeft_LeavesTheExampleOut()
    {
        // The original's pref_align_scan: max_length unset is 512 as is max_prompt_length, so long rows lose their whole answer.
        Assert.Null(new AnswerLimits { MaxLength = 6, MaxPromptLength = 6, Profile = Profile.V03 }.Cut(Prompt, Chosen, Rejected));
        Assert.NotNull(new AnswerLimits { MaxLength = 6, MaxPromptLength = 6 }.Cut(Prompt, Chosen, Rejected));
    }
}
