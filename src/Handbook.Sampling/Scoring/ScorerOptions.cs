using Handbook.Sampling.Endpoints;
using Handbook.Torch;
using Handbook.Training.Options;

namespace Handbook.Sampling.Scoring;

/// <summary>A scorer as a recipe names it.</summary>
/// <param name="Name">As written: <c>reward_model:FOLDER</c>, <c>judge</c>, or a rule such as <c>max_words:40</c>.</param>
/// <param name="Weight">Its share of a completion's score.</param>
public sealed record ScorerOptions(string Name, double Weight = 1)
{
    /// <summary>What stands before the folder of a reward model.</summary>
    public const string RewardModelPrefix = "reward_model:";

    /// <summary>The name of the judge that rates completions one by one.</summary>
    public const string JudgeName = "judge";

    /// <summary>The name of the judge that compares every two completions.</summary>
    public const string PairwiseJudgeName = "pairwise_judge";

    /// <summary>The judge, for <see cref="JudgeName"/> and <see cref="PairwiseJudgeName"/>.</summary>
    public JudgeOptions? Judge { get; init; }

    /// <summary>Element type of a reward model; null takes the stored one.</summary>
    public DType? DType { get; init; }

    /// <summary>Where a reward model computes: <c>auto</c>, <c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>.</summary>
    public string Device { get; init; } = "auto";

    /// <summary>All names that may be written, for messages.</summary>
    public static IReadOnlyList<string> Known { get; } =
    [
        RewardModelPrefix + "FOLDER", JudgeName, PairwiseJudgeName, .. RuleTable.Rows.Select(row => row.Usage),
    ];

    private string? RewardModel => Name.StartsWith(RewardModelPrefix, StringComparison.Ordinal) ? Name[RewardModelPrefix.Length..] : null;

    /// <summary>Why the name means nothing; null when it does.</summary>
    public static string? FindProblem(string name)
    {
        if (IsJudge(name) || name.StartsWith(RewardModelPrefix, StringComparison.Ordinal) && name.Length > RewardModelPrefix.Length)
            return null;
        var (word, argument) = Split(name);
        if (RuleTable.Rows.FirstOrDefault(row => row.Name == word) is not { } row)
        {
            var names = RuleTable.Rows.Select(known => known.Name).Concat(["reward_model", JudgeName, PairwiseJudgeName]);
            return $"'{name}' is not a scorer.{NearestName.Hint(word, names)} There are: {string.Join(", ", Known)}.";
        }
        if (row.Argument is null != (argument is null))
            return $"'{name}' must be written {row.Usage}.";
        try
        {
            row.Create(argument ?? "");
            return null;
        }
        catch (UserErrorException error)
        {
            return $"'{name}': {error.Message}";
        }
    }

    /// <summary>What decides its scores, as one line: scores that were kept are used again only under the same one.</summary>
    /// <exception cref="UserErrorException">The reward model's folder is not there.</exception>
    public string Identity() =>
        RewardModel is { } folder ? $"reward model {ModelIdentity.Of(folder, folder)} {DType?.ToString() ?? "stored"}"
            : Name == JudgeName
                ? FormattableString.Invariant(
                    $"judge {Judge!.Endpoint.Identity} {Judge.MinScore} {Judge.MaxScore} {Judge.MaxNewTokens} {Judge.Template}")
            : Name == PairwiseJudgeName
                ? FormattableString.Invariant($"pairwise judge {Judge!.Endpoint.Identity} {Judge.MaxNewTokens} {Judge.PairTemplate}")
            : "rule " + Name;

    /// <summary>Whether a name is that of a judge, which the section <c>judge</c> describes.</summary>
    public static bool IsJudge(string name) => name is JudgeName or PairwiseJudgeName;

    /// <summary>
    /// Says before any sampling what would keep it from scoring: a folder that is no reward model, a column that a row lacks, a key.
    /// </summary>
    /// <param name="prompts">The prompts whose completions it will score.</param>
    /// <exception cref="UserErrorException">It cannot score; the message names the command that was meant.</exception>
    public void Check(IReadOnlyList<PromptRow> prompts)
    {
        Judge?.Endpoint.ReadKey();
        if (RewardModel is { } folder)
        {
            ModelRoles.CheckRewardModel(folder);
            PolicyOptions.Conversations(folder, new TokenizerOptions());
        }
        var (word, argument) = Split(Name);
        if (RuleTable.Rows.FirstOrDefault(row => row.Name == word) is { Argument: RuleTable.Column }
            && prompts.FirstOrDefault(prompt => prompt.Column(argument!) is null) is { } without)
            throw RuleTable.NoColumn(argument!, without);
    }

    /// <summary>Gets ready to score.</summary>
    /// <param name="clock">Times and waits.</param>
    /// <param name="note">Hears of what is worth a line.</param>
    /// <param name="skipBadRows">
    /// Whether a prompt that a reward model's template refuses is left without a score, instead of ending the run.
    /// </param>
    /// <exception cref="UserErrorException">The name means nothing, or what it names cannot be opened.</exception>
    public IScorer Open(TimeProvider clock, Action<string>? note = null, bool skipBadRows = false)
    {
        if (FindProblem(Name) is { } problem)
            throw new UserErrorException("reward_funcs: " + problem);
        if (RewardModel is { } folder)
            return new RewardModelScorer(folder, dtype: DType, device: DeviceChoice.Of(Device).Device)
            {
                SkipsRefused = skipBadRows, Note = note,
            };
        if (Name == JudgeName)
            return new JudgeScorer(ChatClientSampler.Open(Judge!.Endpoint, clock, note), Judge);
        if (Name == PairwiseJudgeName)
            return new PairwiseJudgeScorer(ChatClientSampler.Open(Judge!.Endpoint, clock, note), Judge);
        var (word, argument) = Split(Name);
        return new RuleScorer(RuleTable.Rows.First(row => row.Name == word).Create(argument ?? ""));
    }

    private static (string Word, string? Argument) Split(string name) =>
        name.IndexOf(':', StringComparison.Ordinal) is >= 0 and var colon ? (name[..colon], name[(colon + 1)..]) : (name, null);
}
