using Handbook.Torch;
using Handbook.Training.Options;

namespace Handbook.Recipes.Tests;

/// <summary>Recipes of sample and constitution.</summary>
public sealed class GenerationRecipeTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("recipes").FullName;

    [Fact]
    public void Sample_AllKeys_ReachTheOptions()
    {
        var recipe = Sample("""
            model_name_or_path: m
            dataset_name: d.jsonl
            dataset_split: train[:5]
            output_dir: out
            num_generations: 4
            max_new_tokens: 99
            temperature: 0.5
            top_k: 7
            top_p: 0.9
            min_p: 0.05
            repetition_penalty: 1.1
            stop_strings: [END]
            prompt_form: text
            reward_funcs: ["reward_model:rm", judge, "regex:a,b"]
            reward_weights: [1, 0.5, -2]
            judge: {url: "https://host/v1", model: j, api_key_env: KEY, max_score: 5, max_concurrency: 3}
            keep_best: 2
            min_score: 0.25
            pairs_per_prompt: 3
            min_margin: 0.5
            keep_truncated: true
            seed: 5
            prompts_per_save: 8
            """);
        var options = recipe.Options;
        Assert.Equal(("m", "train[:5]", true, 4, 99),
            (options.Policy.ModelFolder, options.Prompts.Dataset.Split, options.Prompts.IsPlainText, options.Settings.Count,
                options.Settings.MaxNewTokens));
        var sampling = options.Settings.Sampling;
        Assert.Equal((0.5, 7, 0.9, 0.05, 1.1, "END"),
            (sampling.Temperature, sampling.TopK, sampling.TopP, sampling.MinP, sampling.RepetitionPenalty,
                options.Settings.StopStrings[0]));
        Assert.Equal([("reward_model:rm", 1.0), ("judge", 0.5), ("regex:a,b", -2.0)],
            options.Scorers.Select(scorer => (scorer.Name, scorer.Weight)));
        Assert.Equal(("j", "KEY", 5.0, 3),
            (options.Scorers[1].Judge!.Endpoint.Model, options.Scorers[1].Judge!.Endpoint.ApiKeyVariable,
                options.Scorers[1].Judge!.MaxScore, options.Scorers[1].Judge!.Endpoint.MaxConcurrency));
        Assert.Equal((2, 0.25, 3, 0.5, true),
            (options.Selection.KeepBest, options.Selection.MinScore, options.Selection.PairsPerPrompt, options.Selection.MinMargin,
                options.Selection.KeepTruncated));
        Assert.Equal((5, 8, 1, null), (options.Seed, options.PromptsPerBlock, options.Rounds, options.TrainRecipe));
    }

    [Theory]
    [InlineData("reward_funcs: words\n",
        "r.yaml:1:1: model_name_or_path: is required: a local folder (or endpoint for a model behind a server).")]
    [InlineData("reward_funcs: words\nmodel_name_or_path: m\nendpoint: {url: 'http://h/v1', model: m}\n",
        "r.yaml:3:1: endpoint: names a model, but model_name_or_path names one too; give one of them.")]
    [InlineData("reward_funcs: words\nendpoint: {url: 'h/v1', model: m}\n",
        "r.yaml:2:17: endpoint.url: 'h/v1' is not an address; expected one such as http://localhost:8000/v1.")]
    [InlineData("reward_funcs: words\nendpoint: {model: m}\n",
        "r.yaml:2:11: endpoint.url: is required: The server's address, up to and with /v1.")]
    [InlineData("reward_funcs: words\nendpoint: {url: 'http://h/v1', model: m, api_key: sk-1}\n",
        "r.yaml:2:42: endpoint.api_key: a key does not belong into a file; api_key_env names the environment variable that holds it.")]
    [InlineData("reward_funcs: judge\nmodel_name_or_path: m\n",
        "r.yaml:1:15: reward_funcs: judge needs the section judge, with url and model.")]
    [InlineData("reward_funcs: [words, json]\nmodel_name_or_path: m\nreward_weights: 1\n",
        "r.yaml:3:17: reward_weights: has 1 entry for 2 scorers; it must have one for each.")]
    [InlineData("reward_funcs: [words, words]\nmodel_name_or_path: m\n",
        "r.yaml:1:15: reward_funcs: names one scorer twice; its weight says how much it counts.")]
    [InlineData("reward_funcs: words\nmodel_name_or_path: m\nrounds: 2\n",
        "r.yaml:3:9: rounds: needs train_recipe: without training between them all rounds sample from the same model.")]
    [InlineData("reward_funcs: words\nmodel_name_or_path: m\nlearning_rate: 1\n",
        "r.yaml:3:1: learning_rate: belongs to cpt, sft, dpo, orpo, kto, reward, cpo, bco, not to sample.")]
    public void Sample_ThatCannotBe_IsOneLine(string yaml, string expected)
    {
        var problems = Assert.Throws<UserErrorException>(() => Sample(yaml + "output_dir: out\ndataset_name: d\n")).Message.Split('\n');
        Assert.Equal(expected, Assert.Single(problems));
    }

    [Fact]
    public void Train_OfARound_HasTheRoundsModelDataAndFolder()
    {
        var train = Write("dpo.yaml",
            "task: dpo\nmodel_name_or_path: other\ndataset_name: other.jsonl\noutput_dir: elsewhere\nbeta: 0.3\n");
        var recipe = Sample(
            $"model_name_or_path: m\ndataset_name: d\noutput_dir: out\nreward_funcs: words\nrounds: 2\ntrain_recipe: {train}\n");
        var run = recipe.Train("round-model", new Sampling.SampledSets("round"), "round/model").Options;
        Assert.Equal(("dpo", "round-model", Path.Combine("round", "preferences.jsonl"), "round/model", 0.3),
            (run.Task, run.Model.NameOrPath, run.Data.Sources[0].Name, run.Checkpoints.OutputDirectory, run.Preference.Beta));
        Write("dpo.yaml", "task: reward\n");
        Assert.Contains("gives no policy",
            Assert.Throws<UserErrorException>(() => recipe.Train("m", new Sampling.SampledSets("s"), "o")).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Read_AsATrainingRun_IsRefused()
    {
        var source = RecipeSource.Load([Write("r.yaml", "task: sample\n")]) with { File = "r.yaml" };
        Assert.Equal(
            "r.yaml: is a recipe of 'handbook sample', which trains nothing; expected one of cpt, sft, dpo, orpo, kto, reward, cpo, bco.",
            Assert.Throws<UserErrorException>(() => RecipeReader.Read(source, "sample")).Message);
    }

    [Theory]
    [InlineData("c.json",
        """{"constitutions": [{"critic": "a", "revision": "b"}], "system_chat": [[{"role": "user", "content": "q"},"""
        + """ {"role": "assistant", "content": "r"}]]}""")]
    [InlineData("c.yaml",
        "constitutions:\n- critic: a\n  revision: b\nsystem_chat:\n- - {role: user, content: q}\n  - {role: assistant, content: r}\n")]
    public void Constitution_JsonOrYaml_ReadsTheSame(string name, string text)
    {
        var options = Constitution(Write(name, text)).Options;
        Assert.Equal("a>b",
            string.Join(' ', options.Constitution.Principles.Select(principle => $"{principle.Critic}>{principle.Revision}")));
        Assert.Equal(["q", "r"], options.Constitution.SystemChat.Select(message => message.Content));
        Assert.Equal((0.5, 1, "test"), (options.SftShare, options.RevisionRounds, options.TestDataset!.Split));
    }

    [Fact]
    public void Constitution_BrokenJson_IsNamedByItsPlace()
    {
        var file = Write("c.json", "{\n  \"constitutions\": [}\n");
        Assert.Equal($"{file}: is not valid JSON: line 2, column 21: '}}' is an invalid start of a value.",
            Assert.Throws<UserErrorException>(() => Constitution(file)).Message);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>An endpoint has its own machine; a reward model that scores its answers has the recipe's type and device.</summary>
    [Fact]
    public void Read_Endpoint_LeavesScorersTypeAndDevice()
    {
        var options = Sample("dataset_name: d\noutput_dir: out\nreward_funcs: reward_model:r\ntorch_dtype: float32\ndevice: cpu\n"
            + "endpoint: {url: 'http://h/v1', model: m}\n").Options;
        Assert.Equal((null, DType.Float32, "cpu"), (options.Policy.DType, options.Scorers[0].DType, options.Scorers[0].Device));
        Assert.Equal("m", options.Policy.Endpoint!.Model);
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    private SampleRecipe Sample(string yaml) => SampleRecipe.Read(RecipeSource.Load([Write("r.yaml", yaml)]) with { File = "r.yaml" });

    private ConstitutionRecipe Constitution(string file) =>
        ConstitutionRecipe.Read(RecipeSource.Load([Write("r.yaml",
            $"model_name_or_path: m\ndataset_name: d\noutput_dir: out\nconstitution: {file}\n")]));
}
