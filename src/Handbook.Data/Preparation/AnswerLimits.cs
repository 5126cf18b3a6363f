using Handbook.Data.Mixtures;
using Handbook.Data.Packing;

namespace Handbook.Data.Preparation;

/// <summary>
/// Cuts a prompt with its answers to length by the rules of an era. The answers of a pair keep one prompt, so that it can be
/// computed once, unless each is to keep its end.
/// </summary>
public sealed record AnswerLimits
{
    /// <summary>Most tokens of prompt and one answer together; null: no limit.</summary>
    public int? MaxLength { get; init; }

    /// <summary>Most tokens of the prompt; null: no limit of its own.</summary>
    public int? MaxPromptLength { get; init; }

    /// <summary>Most tokens of an answer; null: no limit of its own.</summary>
    public int? MaxCompletionLength { get; init; }

    /// <summary>What becomes of a row that is too long; null: what the profile does by itself.</summary>
    public OverlongPolicy? Overlong { get; init; }

    /// <summary>Whose rules hold.</summary>
    public Profile Profile { get; init; } = Profile.Best;

    /// <summary>
    /// The prompt and answers as they are trained; null when they are to be left out, being too long, or when an answer would have
    /// no token left, which would teach nothing.
    /// </summary>
    /// <remarks>
    /// <c>trl-0.19</c>: prompt to its last <c>max_prompt_length</c>, answers to their first <c>max_completion_length</c>, then prompt and
    /// answer together to their last (or first) <c>max_length</c>, each answer for itself. <c>v0.3</c>: only when prompt and longer answer
    /// exceed <c>max_length</c>, the prompt to its last (or first) <c>max_prompt_length</c>, then the answers to what is left of
    /// <c>max_length - max_prompt_length</c>. <c>best</c>: the prompt loses its beginning before an answer loses its end, and both
    /// answers keep the same prompt; told which end to keep, it does as <c>trl-0.19</c>, whose default is the end. Where ends are kept, the
    /// prompt given is the shorter answer's; <see cref="Unseen"/> says how much of it the longer one has not.
    /// </remarks>
    public int[][]? Cut(int[] prompt, params int[][] answers)
    {
        if (Overlong == OverlongPolicy.Drop && prompt.Length + answers.Max(answer => answer.Length) > MaxLength)
            return null;
        var cut = (Profile, Overlong) switch
        {
            (Profile.V03, _) => CutV03(prompt, answers),
            (Profile.Trl019, _) or (_, OverlongPolicy.KeepStart or OverlongPolicy.KeepEnd) => CutTrl(prompt, answers),
            _ => CutBest(prompt, answers),
        };
        return cut.Skip(1).Any(answer => answer.Length == 0) ? null : cut;
    }

    /// <summary>First tokens of a cut prompt that do not stand before this answer, since the two together would be too long.</summary>
    public int Unseen(int[] prompt, int[] answer) =>
        MaxLength is { } max ? Math.Clamp(prompt.Length + answer.Length - max, 0, prompt.Length) : 0;

    private int[][] CutV03(int[] prompt, int[][] answers)
    {
        if (MaxLength is not { } max || prompt.Length + answers.Max(answer => answer.Length) <= max)
            return [prompt, .. answers];
        var promptMax = MaxPromptLength ?? max / 2;
        var shorter = Overlong == OverlongPolicy.KeepStart ? First(prompt, promptMax) : Last(prompt, promptMax);
        var stillLong = shorter.Length + answers.Max(answer => answer.Length) > max;
        return [shorter, .. answers.Select(answer => stillLong ? First(answer, Math.Max(0, max - promptMax)) : answer)];
    }

    private int[][] CutTrl(int[] prompt, int[][] answers)
    {
        prompt = Last(prompt, MaxPromptLength ?? int.MaxValue);
        answers = [.. answers.Select(answer => First(answer, MaxCompletionLength ?? int.MaxValue))];
        if (MaxLength is not { } max)
            return [prompt, .. answers];
        if (Overlong == OverlongPolicy.KeepStart)
        {
            prompt = First(prompt, max);
            return [prompt, .. answers.Select(answer => First(answer, max - prompt.Length))];
        }
        answers = [.. answers.Select(answer => Last(answer, max))];
        return [Last(prompt, max - answers.Min(answer => answer.Length)), .. answers];
    }

    private int[][] CutBest(int[] prompt, int[][] answers)
    {
        prompt = Last(prompt, MaxPromptLength ?? int.MaxValue);
        answers = [.. answers.Select(answer => First(answer, MaxCompletionLength ?? int.MaxValue))];
        if (MaxLength is not { } max)
            return [prompt, .. answers];
        var room = Math.Max(1, max - answers.Max(answer => answer.Length));
        prompt = Last(prompt, room);
        return [prompt, .. answers.Select(answer => First(answer, max - prompt.Length))];
    }

    private static int[] First(int[] ids, int count) => ids.Length <= count ? ids : ids[..count];

    private static int[] Last(int[] ids, int count) => ids.Length <= count ? ids : ids[^count..];
}
