using Handbook.Data.Mixtures;
using Handbook.Data.Packing;

namespace Handbook.Data.Preparation;

/// <summary>
/// Cuts a prompt with its completions to length by the rules of an era. The completions of a pair keep one prompt, so that it can be
/// computed once, unless each is to keep its end.
/// </summary>
public sealed record AnswerLimits
{
    /// <summary>Most tokens of prompt and one completion together; null: no limit.</summary>
    public int? MaxLength { get; init; }

    /// <summary>Most tokens of the prompt; null: no limit of its own.</summary>
    public int? MaxPromptLength { get; init; }

    /// <summary>Most tokens of a completion; null: no limit of its own.</summary>
    public int? MaxCompletionLength { get; init; }

    /// <summary>What becomes of a row that is too long; null: what the profile does by itself.</summary>
    public OverlongPolicy? Overlong { get; init; }

    /// <summary>Whose rules hold.</summary>
    public Profile Profile { get; init; } = Profile.Best;

    /// <summary>
    /// The prompt and completions as they are trained; null when they are to be left out, being too long, or when a completion would have
    /// no token left, which would teach nothing.
    /// </summary>
    /// <remarks>
    /// <c>trl-0.19</c>: prompt to its last <c>max_prompt_length</c>, completions to their first
    /// <c>max_completion_length</c>, then prompt and
    /// completion together to their last (or first) <c>max_length</c>, each completion for itself. <c>v0.3</c>:
    /// only when prompt and longer completion
    /// exceed <c>max_length</c>, the prompt to its last (or first) <c>max_prompt_length</c>, then the completions to what is left of
    /// <c>max_length - max_prompt_length</c>. <c>best</c>: the prompt loses its beginning before a completion loses its end, and both
    /// completions keep the same prompt; told which end to keep, it does as <c>trl-0.19</c>, whose default is the end.
    /// Where ends are kept, the
    /// prompt given is the shorter completion's; <see cref="Unseen"/> says how much of it the longer one has not.
    /// </remarks>
    public int[][]? Cut(int[] prompt, params int[][] completions)
    {
        if (Overlong == OverlongPolicy.Drop && prompt.Length + completions.Max(completion => completion.Length) > MaxLength)
            return null;
        var cut = (Profile, Overlong) switch
        {
            (Profile.V03, _) => CutV03(prompt, completions),
            (Profile.Trl019, _) or (_, OverlongPolicy.KeepStart or OverlongPolicy.KeepEnd) => CutTrl(prompt, completions),
            _ => CutBest(prompt, completions),
        };
        return cut.Skip(1).Any(completion => completion.Length == 0) ? null : cut;
    }

    /// <summary>First tokens of a cut prompt that do not stand before this completion, since the two together would be too long.</summary>
    public int Unseen(int[] prompt, int[] completion) =>
        MaxLength is { } max ? Math.Clamp(prompt.Length + completion.Length - max, 0, prompt.Length) : 0;

    private int[][] CutV03(int[] prompt, int[][] completions)
    {
        if (MaxLength is not { } max || prompt.Length + completions.Max(completion => completion.Length) <= max)
            return [prompt, .. completions];
        var promptMax = MaxPromptLength ?? max / 2;
        var shorter = Overlong == OverlongPolicy.KeepStart ? First(prompt, promptMax) : Last(prompt, promptMax);
        var stillLong = shorter.Length + completions.Max(completion => completion.Length) > max;
        return [shorter, .. completions.Select(completion => stillLong ? First(completion, Math.Max(0, max - promptMax)) : completion)];
    }

    private int[][] CutTrl(int[] prompt, int[][] completions)
    {
        prompt = Last(prompt, MaxPromptLength ?? int.MaxValue);
        completions = [.. completions.Select(completion => First(completion, MaxCompletionLength ?? int.MaxValue))];
        if (MaxLength is not { } max)
            return [prompt, .. completions];
        if (Overlong == OverlongPolicy.KeepStart)
        {
            prompt = First(prompt, max);
            return [prompt, .. completions.Select(completion => First(completion, max - prompt.Length))];
        }
        completions = [.. completions.Select(completion => Last(completion, max))];
        return [Last(prompt, max - completions.Min(completion => completion.Length)), .. completions];
    }

    private int[][] CutBest(int[] prompt, int[][] completions)
    {
        prompt = Last(prompt, MaxPromptLength ?? int.MaxValue);
        completions = [.. completions.Select(completion => First(completion, MaxCompletionLength ?? int.MaxValue))];
        if (MaxLength is not { } max)
            return [prompt, .. completions];
        var room = Math.Max(1, max - completions.Max(completion => completion.Length));
        prompt = Last(prompt, room);
        return [prompt, .. completions.Select(completion => First(completion, max - prompt.Length))];
    }

    private static int[] First(int[] ids, int count) => ids.Length <= count ? ids : ids[..count];

    private static int[] Last(int[] ids, int count) => ids.Length <= count ? ids : ids[^count..];
}
