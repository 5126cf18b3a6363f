using Handbook.Recipes.Keys;
using Handbook.Sampling.Endpoints;
using Handbook.Sampling.Scoring;
using static Handbook.Recipes.RecipeRules;
using Problem = (Handbook.Recipes.Yaml.YamlPosition Position, string Text);

namespace Handbook.Recipes;

/// <summary>The rules between keys of recipes that make data with a model.</summary>
internal static class GenerationRules
{
    private static readonly string[] OfLocalModels =
        ["tokenizer_name_or_path", "torch_dtype", "chat_template", "eos_token", "auto_insert_empty_system_msg", "generation_batch_size"];

    /// <summary>Every rule that does not hold; remarks go to <paramref name="note"/>.</summary>
    public static IEnumerable<Problem> Check(RecipeValues values, string task, Action<string, string> note)
    {
        if (values.Has("endpoint"))
        {
            foreach (var key in OfLocalModels.Where(values.Has))
                note(key, "has no effect on an endpoint, which has its own.");
        }
        return [.. Policy(values), .. task == RecipeTasks.Sample ? Scoring(values).Concat(Rounds(values)) : []];
    }

    private static IEnumerable<Problem> Policy(RecipeValues values)
    {
        var isLocal = values.Text("model_name_or_path") is not null;
        if (!isLocal && !values.Has("endpoint"))
            yield return At(values, null, "model_name_or_path: is required: a local folder (or endpoint for a model behind a server).");
        if (isLocal && values.Has("endpoint"))
            yield return At(values, "endpoint", "names a model, but model_name_or_path names one too; give one of them.");
        if (values.Text("dataset_name") is null)
            yield return At(values, null, "dataset_name: is required: a file, a folder or a hub id with prompts.");
        if (values.Text("torch_dtype") == "float16")
            yield return At(values, "torch_dtype", "float16 is not computed in; take bfloat16 or float32.");
        foreach (var problem in new[] { "endpoint", "judge" }.Where(values.Has).SelectMany(section => Server(values, section)))
            yield return problem;
    }

    private static IEnumerable<Problem> Server(RecipeValues values, string section)
    {
        if (values.Find(section + ".url")?.Value is not string url)
            yield break;
        if (!IsWebAddress(url))
            yield return At(values, section + ".url", $"'{url}' is not an address; expected one such as http://localhost:8000/v1.");
        else if (values.Find(section + ".api_key_env")?.Value is string name && EndpointOptions.FindNameProblem(name) is { } problem)
            yield return At(values, section + ".api_key_env", problem);
        else if (GenerationKeys.ReadEndpoint(values, section + ".").FindTransportProblem() is { } danger)
            yield return At(values, section + ".url", danger);
    }

    private static IEnumerable<Problem> Scoring(RecipeValues values)
    {
        var scorers = values.Texts("reward_funcs")!;
        foreach (var problem in scorers.Select(ScorerOptions.FindProblem).OfType<string>())
            yield return At(values, "reward_funcs", problem);
        if (scorers.Count == 0)
            yield return At(values, "reward_funcs", "is empty; answers must be scored by something.");
        if (scorers.Distinct().Count() < scorers.Count)
            yield return At(values, "reward_funcs", "names one scorer twice; its weight says how much it counts.");
        if (values.Numbers("reward_weights") is { } weights && weights.Count != scorers.Count)
            yield return At(values, "reward_weights",
                $"has {Quantity.Of(weights.Count, "entry", "entries")} for "
                    + $"{Quantity.Of(scorers.Count, "scorer")}; it must have one for each.");
        if (scorers.FirstOrDefault(ScorerOptions.IsJudge) is var judge && judge is not null != values.Has("judge"))
        {
            yield return judge is null
                ? At(values, "judge", "is described, but reward_funcs does not name judge.")
                : At(values, "reward_funcs", $"{judge} needs the section judge, with url and model.");
        }
        if (scorers.Contains(ScorerOptions.PairwiseJudgeName) && values.Integer("num_generations") < 2)
            yield return At(values, "num_generations", "pairwise_judge compares answers to one prompt; it needs 2 or more.");
        if (values.Number("judge.min_score") >= values.Number("judge.max_score"))
            yield return At(values, "judge.max_score", "must be above judge.min_score.");
        if (values.Text("prompt_form") == "text" && values.Has("endpoint"))
            yield return At(values, "prompt_form", "text: an endpoint of the chat interface knows conversations only.");
        if (values.Text("prompt_form") == "text" && values.Has("system_prompt"))
            yield return At(values, "system_prompt", "a plain text has no system turn; take prompt_form: chat.");
    }

    private static IEnumerable<Problem> Rounds(RecipeValues values)
    {
        var isTrained = values.Text("train_recipe") is not null;
        if (values.Integer("rounds") > 1 && !isTrained)
            yield return At(values, "rounds", "needs train_recipe: without training between them all rounds sample from the same model.");
        if (isTrained && values.Has("endpoint"))
            yield return At(values, "train_recipe", "a model behind an endpoint is not trained here; give model_name_or_path.");
        if (values.Has("prompts_per_round") && !isTrained)
            yield return At(values, "prompts_per_round", "belongs to train_recipe, which is not given.");
        if (values.Has("prompts_per_round") && values.Has("max_prompts"))
            yield return At(values, "max_prompts", "prompts_per_round says already how many there are; give one of them.");
    }

    private static bool IsWebAddress(string text) => Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https";
}
