using Handbook.Data.Sources;
using Handbook.Sampling.Scoring;
using Handbook.TestModels;

namespace Handbook.Sampling.Tests;

public sealed class ModelRolesTests(TinyChat chat) : IClassFixture<TinyChat>
{
    public static TheoryData<string, string> WrongRoles() => new()
    {
        { "policy", "REWARD: is a reward model, which scores answers and gives none. The policy goes into model_name_or_path, this one "
            + "into reward_funcs: handbook sample --model_name_or_path=POLICY --reward_funcs=reward_model:REWARD" },
        { "reward", "CHAT: is not a reward model: it has no score.weight. 'handbook reward' trains one. From this folder: handbook reward "
            + "--model_name_or_path=CHAT --dataset_name=PAIRS --output_dir=OUT" },
        { "missing", "REWARDD: no such folder; a model folder is expected. Did you mean reward?" },
        { "checkpoints",
            "EMPTY: holds no model, but checkpoints: the run was not finished. Finish it, or take the last one: "
                + "--reward_funcs=reward_model:EMPTY/checkpoint-20" },
        { "column", "reward_funcs: the rule needs column gold, which prompt id0 does not have." },
    };

    /// <summary>What cannot work shows before anything is sampled.</summary>
    [Theory]
    [MemberData(nameof(WrongRoles))]
    public async Task Run_FolderInTheWrongPlace_IsSaidBeforeSampling(string mistake, string expected)
    {
        var empty = Directory.CreateDirectory(chat.File("unfinished")).FullName;
        foreach (var step in new[] { 4, 20 })
            File.Copy(Path.Combine(chat.RewardModel, "config.json"),
                Path.Combine(Directory.CreateDirectory(Path.Combine(empty, $"checkpoint-{step}")).FullName, "config.json"),
                overwrite: true);
        var options = new SampleOptions
        {
            Policy = new PolicyOptions { ModelFolder = chat.Policy },
            Prompts = new PromptOptions { Dataset = new DatasetRequest(chat.Prompts) },
            Settings = new SampleSettings { Count = 4, MaxNewTokens = 10 },
            Scorers = [new ScorerOptions("reward_model:" + chat.RewardModel)],
            OutputDirectory = chat.File("role" + mistake),
        };
        options = mistake switch
        {
            "policy" => options with { Policy = new PolicyOptions { ModelFolder = chat.RewardModel } },
            "reward" => options with { Scorers = [new ScorerOptions("words"), new ScorerOptions("reward_model:" + chat.Policy)] },
            "missing" => options with { Scorers = [new ScorerOptions("reward_model:" + chat.RewardModel + "d")] },
            "checkpoints" => options with { Scorers = [new ScorerOptions("reward_model:" + empty)] },
            _ => options with { Scorers = [new ScorerOptions("exact:gold")] },
        };
        var progress = new NotingProgress();
        var error = await Assert.ThrowsAsync<UserErrorException>(() => new SamplingRun(options, progress, TimeProvider.System)
            .ExecuteAsync(CancellationToken.None));
        Assert.Equal(
            expected.Replace("REWARDD", chat.RewardModel + "d", StringComparison.Ordinal)
                .Replace("REWARD", chat.RewardModel, StringComparison.Ordinal)
                .Replace("CHAT", chat.Policy, StringComparison.Ordinal).Replace("EMPTY", empty, StringComparison.Ordinal), error.Message);
        Assert.Empty(progress.Notes);
        Assert.False(Directory.Exists(Path.Combine(chat.File("role" + mistake), ".journal")));
    }
}
