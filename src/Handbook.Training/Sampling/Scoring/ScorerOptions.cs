using Handbook.Torch;
using Handbook.Training.Sampling.Endpoints;

namespace Handbook.Training.Sampling.Scoring;

/// <summary>A scorer as a recipe names it.</summary>
/// <param name="Name">As written: <c>reward_model:FOLDER</c>, <c>judge</c>, or a rule such as <c>max_words:40</c>.</param>
/// <param name="Weight">Its share of an answer's score.</param>
public sealed record ScorerOptions(string Name, double Weight = 1)
{
    /// <summary>What stands before the folder of a reward model.</summary>
    public const string RewardModelPrefix = "reward_model:";

    /// <summary>The name of the judge.</summary>
    public const string JudgeName = "judge";

    /// <summary>The judge, for <see cref="JudgeName"/>.</summary>
    public JudgeOptions? Judge { get; init; }

    /// <summary>Element type of a reward model; null takes the stored one.</summary>
    public DType? DType { get; init; }

    /// <summary>All names that may be written, for messages.</summary>
    public static IReadOnlyList<string> Known { get; } = [RewardModelPrefix + "FOLDER", JudgeName, .. RuleTable.Rows.Select(row => row.Usage)];

    private string? RewardModel => Name.StartsWith(RewardModelPrefix, StringComparison.Ordinal) ? Name[RewardModelPrefix.Length..] : null;

    /// <summary>Why the name means nothing; null when it does.</summary>
    public static string? FindProblem(string name)
    {
        if (name == JudgeName || name.StartsWith(RewardModelPrefix, StringComparison.Ordinal) && name.Length > RewardModelPrefix.Length)
            return null;
        var (word, argument) = Split(name);
        if (RuleTable.Rows.FirstOrDefault(row => row.Name == word) is not { } row)
            return $"'{name}' is not a scorer.{NearestName.Hint(word, RuleTable.Rows.Select(known => known.Name).Append("reward_model").Append(JudgeName))} There are: {string.Join(", ", Known)}.";
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
    public string Identity() => RewardModel is { } folder ? $"reward model {ModelIdentity.Of(folder, folder)} {DType?.ToString() ?? "stored"}"
        : Name == JudgeName ? FormattableString.Invariant($"judge {Judge!.Endpoint.Identity} {Judge.MinScore} {Judge.MaxScore} {Judge.MaxNewTokens} {Judge.Template}")
        : "rule " + Name;

    /// <summary>Gets ready to score.</summary>
    /// <exception cref="UserErrorException">The name means nothing, or what it names cannot be opened.</exception>
    public IScorer Open(TimeProvider clock)
    {
        if (FindProblem(Name) is { } problem)
            throw new UserErrorException("reward_funcs: " + problem);
        if (RewardModel is { } folder)
            return new RewardModelScorer(folder, dtype: DType);
        if (Name == JudgeName)
            return new JudgeScorer(ChatClientSampler.Open(Judge!.Endpoint, clock), Judge);
        var (word, argument) = Split(Name);
        return new RuleScorer(RuleTable.Rows.First(row => row.Name == word).Create(argument ?? ""));
    }

    private static (string Word, string? Argument) Split(string name) =>
        name.IndexOf(':', StringComparison.Ordinal) is >= 0 and var colon ? (name[..colon], name[(colon + 1)..]) : (name, null);
}
