using Handbook.Data.Sources;
using Handbook.Models.Generation;
using Handbook.Sampling;
using Handbook.Sampling.Endpoints;
using Handbook.Sampling.Scoring;
using Handbook.Torch;
using Handbook.Training.Options;

namespace Handbook.Recipes;

/// <summary>From checked values to the records that sampling reads.</summary>
internal static class GenerationBinder
{
    public static SampleOptions Sample(CheckedRecipe recipe)
    {
        var values = recipe.Values;
        return new SampleOptions
        {
            Policy = Policy(recipe),
            Prompts = Prompts(values) with { IsPlainText = values.Text("prompt_form") == "text" },
            Settings = Settings(values) with { Count = values.Integer("num_generations") },
            Scorers = [.. Scorers(values)],
            Selection = new SelectionOptions
            {
                KeepBest = values.Integer("keep_best"),
                MinScore = values.NumberOrNull("min_score"),
                PairsPerPrompt = values.Integer("pairs_per_prompt"),
                MinMargin = values.Number("min_margin"),
                KeepTruncated = values.Flag("keep_truncated"),
            },
            OutputDirectory = values.Text("output_dir")!,
            Seed = values.Integer("seed"),
            PromptsPerBlock = values.Integer("prompts_per_save"),
        };
    }

    public static PolicyOptions Policy(CheckedRecipe recipe)
    {
        var values = recipe.Values;
        return values.Has("endpoint") ? new PolicyOptions { Endpoint = Endpoint(values, "endpoint.") } : new PolicyOptions
        {
            ModelFolder = values.Text("model_name_or_path"),
            Tokenizer = new TokenizerOptions
            {
                NameOrPath = values.Text("tokenizer_name_or_path"),
                ChatTemplate = values.Text("chat_template"),
                EosToken = values.Text("eos_token"),
                AutoInsertEmptySystemMessage = values.FlagOrNull("auto_insert_empty_system_msg") ?? recipe.Profile == Profile.V03,
            },
            DType = Dtype(values),
            MaxBatch = values.Integer("generation_batch_size"),
            LeftToModel = [.. PolicyOptions.ModelSettings.Where(name => !values.Has(name))],
        };
    }

    public static PromptOptions Prompts(RecipeValues values) => new()
    {
        Dataset = new DatasetRequest(values.Text("dataset_name")!, values.Text("dataset_config"), values.Text("dataset_split")!),
        RenameColumns = values.TextMap("rename_columns")?.ToDictionary(pair => pair.Key, pair => pair.Value),
        TextColumn = values.Text("dataset_text_field")!,
        SystemPrompt = values.Text("system_prompt"),
        MaxPrompts = values.IntegerOrNull("max_prompts"),
        SkipBadRows = values.Text("on_bad_row") == "skip",
    };

    public static SampleSettings Settings(RecipeValues values) => new()
    {
        MaxNewTokens = values.Integer("max_new_tokens"),
        StopStrings = values.Texts("stop_strings") ?? [],
        Sampling = new SamplingOptions
        {
            Temperature = values.Number("temperature"),
            TopK = values.Integer("top_k"),
            TopP = values.Number("top_p"),
            MinP = values.Number("min_p"),
            RepetitionPenalty = values.Number("repetition_penalty"),
        },
    };

    private static IEnumerable<ScorerOptions> Scorers(RecipeValues values)
    {
        var weights = values.Numbers("reward_weights");
        return values.Texts("reward_funcs")!.Select((name, i) => new ScorerOptions(name, weights?[i] ?? 1)
        {
            DType = Dtype(values),
            Judge = ScorerOptions.IsJudge(name) ? Judge(values) : null,
        });
    }

    private static JudgeOptions Judge(RecipeValues values) => new()
    {
        Endpoint = Endpoint(values, "judge."),
        Template = values.Text("judge.template") ?? JudgeOptions.DefaultTemplate,
        PairTemplate = values.Text("judge.pair_template") ?? JudgeOptions.DefaultPairTemplate,
        MinScore = values.Number("judge.min_score"),
        MaxScore = values.Number("judge.max_score"),
        MaxNewTokens = values.Integer("judge.max_new_tokens"),
    };

    internal static EndpointOptions Endpoint(RecipeValues values, string section) => new()
    {
        Url = new Uri(values.Text(section + "url")!),
        Model = values.Text(section + "model")!,
        ApiKeyVariable = values.Text(section + "api_key_env"),
        AllowPlainHttp = values.Flag(section + "allow_plain_http"),
        Timeout = TimeSpan.FromSeconds(values.Number(section + "timeout")),
        MaxRetries = values.Integer(section + "max_retries"),
        MaxConcurrency = values.Integer(section + "max_concurrency"),
    };

    private static DType? Dtype(RecipeValues values) => values.Text("torch_dtype") switch
    {
        "float32" => DType.Float32,
        "bfloat16" => DType.BFloat16,
        _ => null,
    };
}
