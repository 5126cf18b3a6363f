using Handbook.Sampling;
using Handbook.Sampling.Endpoints;
using Handbook.Sampling.Scoring;
using static Handbook.Recipes.Keys.KeyOrigin;
using static Handbook.Recipes.Keys.OptionParts;
using static Handbook.Recipes.Keys.RecipeKeyTable;
using static Handbook.Recipes.Keys.ValueForms;

namespace Handbook.Recipes.Keys;

/// <summary>Making data with a model: rejection sampling and Constitutional AI.</summary>
internal static class GenerationKeys
{
    public static IReadOnlyList<RecipeKey> Rows { get; } =
    [
        .. PromptRows.Select(row => row with { Tasks = TaskSet.Generation }),
        .. EndpointRows("endpoint.").Select(row => row with { Tasks = TaskSet.Generation }),
        .. ScoringRows.Concat(EndpointRows("judge.")).Select(row => row with { Tasks = TaskSet.Sample }),
        .. ConstitutionRows.Select(row => row with { Tasks = TaskSet.Constitution }),
    ];

    private static RecipeKey[] PromptRows =>
    [
        Row("dataset_split", Text, Ours, "train",
            "The split of dataset_name whose prompts are completed; slices (train[:1000]) are understood."),
        Row("max_prompts", IntegerOrNull, Ours, null, "The most prompts; left out: all.")
            .To(Prompts, (o, v) => o with { MaxPrompts = v }) with { Range = NumberRange.From(1) },
        Row("system_prompt", TextOrNull, Ours, null, "A system turn for prompts that have none.")
            .To(Prompts, (o, v) => o with { SystemPrompt = v }),
        Row("max_new_tokens", Integer, Hf, "512", "The most tokens of an answer.")
            .To(Settings, (o, v) => o with { MaxNewTokens = v }) with { Range = NumberRange.From(1) },
        Row("temperature", Number, Hf, "1.0",
            "Logits are divided by it; 0 takes the most probable token. This and the next four are, when left out, what the model's "
            + "generation_config.json says.")
            .To(Drawing, (o, v) => o with { Temperature = v }) with { Range = NumberRange.From(0) },
        Row("top_k", Integer, Hf, "0", "Draw among so many of the most probable tokens; 0 for all.")
            .To(Drawing, (o, v) => o with { TopK = v }) with { Range = NumberRange.From(0) },
        Row("top_p", Number, Hf, "1.0", "Draw among the most probable tokens that together reach this probability.")
            .To(Drawing, (o, v) => o with { TopP = v })
            with { Range = new NumberRange("above 0, up to 1", value => value is > 0 and <= 1) },
        Row("min_p", Number, Hf, "0.0", "Draw among tokens at least this share as probable as the most probable.")
            .To(Drawing, (o, v) => o with { MinP = v }) with { Range = NumberRange.Within(0, 1) },
        Row("repetition_penalty", Number, Hf, "1.0", "Makes tokens that occurred less probable; 1 does not.")
            .To(Drawing, (o, v) => o with { RepetitionPenalty = v }) with { Range = NumberRange.Above(0) },
        Row("stop_strings", TextsOrNull, Hf, null, "Texts that end an answer and are not part of it.")
            .To(Settings, (o, v) => o with { StopStrings = v ?? [] }),
        Row("generation_batch_size", Integer, Trl, "32", "The most answers that grow at a time on this machine. No answer depends on it.")
            .To(Policy, (o, v) => o with { MaxBatch = v }) with { Range = NumberRange.From(1) },
        Row("prompts_per_save", Integer, Ours, "32", "Prompts after which what was made is saved; a stopped run goes on from there.")
            .To(Generation, (o, v) => o with { PromptsPerBlock = v }) with { Range = NumberRange.From(1) },
        Row("endpoint", SectionOrNull, Ours, null, "A model behind an OpenAI-compatible server in place of model_name_or_path.")
            .To(Policy, (o, _, values) => values.Has("endpoint") ? new PolicyOptions { Endpoint = ReadEndpoint(values, "endpoint.") } : o),
    ];

    private static RecipeKey[] ScoringRows =>
    [
        Row("num_generations", Integer, Trl, "8", "Answers a prompt.")
            .To(Settings, (o, v) => o with { Count = v }) with { Range = NumberRange.From(1) },
        Row("prompt_form", Text, Ours, "chat",
            "chat: prompts are conversations for the chat template. text: a prompt is continued as it stands.")
            .To(Prompts, (o, v) => o with { IsPlainText = v == "text" }) with { Choices = ["chat", "text"] },
        Row("reward_funcs", Texts, Trl, null, $"What answers are scored by, one or several of: {string.Join(", ", ScorerOptions.Known)}.")
            .To(Sample, (o, v, values) => o with { Scorers = [.. Scorers(v, values)] }) with { IsRequired = true },
        Row("reward_weights", NumbersOrNull, Trl, null,
            "A weight for each of reward_funcs; an answer's score is the weighted sum. Left out: all 1."),
        Row("keep_best", Integer, Ours, "1", "The best answers to a prompt that go into the SFT set.")
            .To(Choosing, (o, v) => o with { KeepBest = v }) with { Range = NumberRange.From(0) },
        Row("min_score", NumberOrNull, Ours, null, "The least score of an answer that is kept or chosen.")
            .To(Choosing, (o, v) => o with { MinScore = v }),
        Row("pairs_per_prompt", Integer, Ours, "1",
            "Preference pairs a prompt, the largest margins first: 1 is the best against the worst.")
            .To(Choosing, (o, v) => o with { PairsPerPrompt = v }) with { Range = NumberRange.From(0) },
        Row("min_margin", Number, Ours, "0.0", "The least difference of scores in a pair; equal scores never make one.")
            .To(Choosing, (o, v) => o with { MinMargin = v }) with { Range = NumberRange.From(0) },
        Row("keep_truncated", Flag, Ours, "false",
            "Whether an answer cut off at max_new_tokens may be kept or chosen. It may always be rejected.")
            .To(Choosing, (o, v) => o with { KeepTruncated = v }),
        Row("rounds", Integer, Ours, "1",
            "How often to sample and train in turn; each round samples from the model that the one before trained. Above 1 it needs "
            + "train_recipe.")
            .To(Sample, (o, v) => o with { Rounds = v }) with { Range = NumberRange.From(1) },
        Row("train_recipe", TextOrNull, Ours, null,
            "The recipe of the training run after each sampling. Its model, data and output folder are the round's.")
            .To(Sample, (o, v) => o with { TrainRecipe = v }),
        Row("prompts_per_round", IntegerOrNull, Ours, null,
            "Each round takes so many prompts of its own, in order; left out: every round asks all of them.")
            .To(Sample, (o, v) => o with { PromptsPerRound = v }) with { Range = NumberRange.From(1) },
        Row("judge", SectionOrNull, Ours, null,
            "The model behind a server that rates answers, for judge and pairwise_judge in reward_funcs."),
        Row("judge.template", TextOrNull, Ours, null,
            "What the judge is asked, with {prompt}, {answer}, {min_score}, {max_score} and {COLUMN} of the row; left out: a rating of "
            + "one answer by itself."),
        Row("judge.pair_template", TextOrNull, Ours, null,
            "What pairwise_judge is asked, with {prompt}, {answer_a}, {answer_b} and {COLUMN} of the row; left out: which answer is "
            + "better."),
        Row("judge.min_score", Number, Ours, "1", "The lowest rating."),
        Row("judge.max_score", Number, Ours, "10", "The highest rating."),
        Row("judge.max_new_tokens", Integer, Ours, "512", "The most tokens that the judge may say.") with { Range = NumberRange.From(1) },
    ];

    private static RecipeKey[] ConstitutionRows =>
    [
        Row("constitution", Text, Ours, null,
            "The principles: a JSON or YAML file with constitutions (critic, revision) and, perhaps, system_chat.")
            .To(Constitution, (o, v) => o with { Constitution = PrinciplesFile.Read(v) }) with { IsRequired = true },
        Row("sft_share", Number, Ours, "0.5",
            "The share of the rows, from the first, that goes into the SFT set; the rest is the preference set.")
            .To(Constitution, (o, v) => o with { SftShare = v }) with { Range = NumberRange.Within(0, 1) },
        Row("revision_rounds", Integer, Ours, "1", "Critiques and revisions of an answer, each under a principle of its own.")
            .To(Constitution, (o, v) => o with { RevisionRounds = v }) with { Range = NumberRange.From(1) },
    ];

    private static RecipeKey[] EndpointRows(string section) =>
    [
        Row(section + "url", Text, Ours, null, "The server's address, up to and with /v1.") with { IsRequired = true },
        Row(section + "model", Text, Ours, null, "The model's name there.") with { IsRequired = true },
        Row(section + "api_key_env", TextOrNull, Ours, null,
            "The environment variable that holds the key; the key itself stands in no recipe."),
        Row(section + "api_key", TextOrNull, Ours, null,
            "Refused: a key does not belong into a file; api_key_env names the environment variable that holds it.")
            with { Verb = KeyVerb.Reject },
        Row(section + "allow_plain_http", Flag, Ours, "false",
            "Whether the key may travel unencrypted, to an http address of another machine."),
        Row(section + "timeout", Number, Ours, "300", "Seconds that one request may take.") with { Range = NumberRange.Above(0) },
        Row(section + "max_retries", Integer, Ours, "6",
            "How often a request that failed is repeated.")
            with { Range = NumberRange.From(0) },
        Row(section + "max_concurrency", Integer, Ours, "8", "The most requests at a time.") with { Range = NumberRange.From(1) },
    ];

    /// <summary>The server that a section describes.</summary>
    internal static EndpointOptions ReadEndpoint(RecipeValues values, string section) => new()
    {
        Url = new Uri(values.Text(section + "url")!),
        Model = values.Text(section + "model")!,
        ApiKeyVariable = values.Text(section + "api_key_env"),
        AllowPlainHttp = values.Flag(section + "allow_plain_http"),
        Timeout = TimeSpan.FromSeconds(values.Number(section + "timeout")),
        MaxRetries = values.Integer(section + "max_retries"),
        MaxConcurrency = values.Integer(section + "max_concurrency"),
    };

    private static IEnumerable<ScorerOptions> Scorers(IReadOnlyList<string> names, RecipeValues values)
    {
        var weights = values.Numbers("reward_weights");
        return names.Select((name, i) => new ScorerOptions(name, weights?[i] ?? 1)
        {
            DType = ModelKeys.ComputedIn(values),
            Device = values.Text("device")!,
            Judge = ScorerOptions.IsJudge(name) ? Judge(values) : null,
        });
    }

    private static JudgeOptions Judge(RecipeValues values) => new()
    {
        Endpoint = ReadEndpoint(values, "judge."),
        Template = values.Text("judge.template") ?? JudgeOptions.DefaultTemplate,
        PairTemplate = values.Text("judge.pair_template") ?? JudgeOptions.DefaultPairTemplate,
        MinScore = values.Number("judge.min_score"),
        MaxScore = values.Number("judge.max_score"),
        MaxNewTokens = values.Integer("judge.max_new_tokens"),
    };
}
