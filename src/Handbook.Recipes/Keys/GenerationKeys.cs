using Handbook.Sampling.Scoring;
using static Handbook.Recipes.Keys.KeyKind;
using static Handbook.Recipes.Keys.KeyOrigin;
using static Handbook.Recipes.Keys.RecipeKeyTable;

namespace Handbook.Recipes.Keys;

/// <summary>Making data with a model: rejection sampling and Constitutional AI.</summary>
internal static class GenerationKeys
{
    public static IReadOnlyList<RecipeKey> Rows { get; } =
    [
        .. Prompts.Select(row => row with { Tasks = Tasks.Generation }),
        .. Endpoint("endpoint.").Select(row => row with { Tasks = Tasks.Generation }),
        .. Scoring.Concat(Endpoint("judge.")).Select(row => row with { Tasks = Tasks.Sample }),
        .. Constitution.Select(row => row with { Tasks = Tasks.Constitution }),
    ];

    private static RecipeKey[] Prompts =>
    [
        Row("dataset_split", TextValue, Ours, "train", "The split of dataset_name whose prompts are completed; slices (train[:1000]) are understood."),
        Row("max_prompts", Integer, Ours, null, "The most prompts; left out: all.") with { Range = NumberRange.From(1) },
        Row("system_prompt", TextValue, Ours, null, "A system turn for prompts that have none."),
        Row("max_new_tokens", Integer, Hf, "512", "The most tokens of an answer.") with { Range = NumberRange.From(1) },
        Row("temperature", Number, Hf, "1.0", "Logits are divided by it; 0 takes the most probable token. This and the next four are, when left out, what the model's generation_config.json says.") with { Range = NumberRange.From(0) },
        Row("top_k", Integer, Hf, "0", "Draw among so many of the most probable tokens; 0 for all.") with { Range = NumberRange.From(0) },
        Row("top_p", Number, Hf, "1.0", "Draw among the most probable tokens that together reach this probability.") with { Range = new NumberRange("above 0, up to 1", value => value is > 0 and <= 1) },
        Row("min_p", Number, Hf, "0.0", "Draw among tokens at least this share as probable as the most probable.") with { Range = NumberRange.Within(0, 1) },
        Row("repetition_penalty", Number, Hf, "1.0", "Makes tokens that occurred less probable; 1 does not.") with { Range = NumberRange.Above(0) },
        Row("stop_strings", TextList, Hf, null, "Texts that end an answer and are not part of it."),
        Row("generation_batch_size", Integer, Trl, "32", "The most answers that grow at a time on this machine. No answer depends on it.") with { Range = NumberRange.From(1) },
        Row("prompts_per_save", Integer, Ours, "32", "Prompts after which what was made is saved; a stopped run goes on from there.") with { Range = NumberRange.From(1) },
        Row("endpoint", Section, Ours, null, "A model behind an OpenAI-compatible server in place of model_name_or_path."),
    ];

    private static RecipeKey[] Scoring =>
    [
        Row("num_generations", Integer, Trl, "8", "Answers a prompt.") with { Range = NumberRange.From(1) },
        Row("prompt_form", TextValue, Ours, "chat", "chat: prompts are conversations for the chat template. text: a prompt is continued as it stands.") with { Choices = ["chat", "text"] },
        Row("reward_funcs", TextList, Trl, null, $"What answers are scored by, one or several of: {string.Join(", ", ScorerOptions.Known)}.") with { IsRequired = true, IsNullable = false },
        Row("reward_weights", NumberList, Trl, null, "A weight for each of reward_funcs; an answer's score is the weighted sum. Left out: all 1."),
        Row("keep_best", Integer, Ours, "1", "The best answers to a prompt that go into the SFT set.") with { Range = NumberRange.From(0) },
        Row("min_score", Number, Ours, null, "The least score of an answer that is kept or chosen."),
        Row("pairs_per_prompt", Integer, Ours, "1", "Preference pairs a prompt, the largest margins first: 1 is the best against the worst.") with { Range = NumberRange.From(0) },
        Row("min_margin", Number, Ours, "0.0", "The least difference of scores in a pair; equal scores never make one.") with { Range = NumberRange.From(0) },
        Row("keep_truncated", Flag, Ours, "false", "Whether an answer cut off at max_new_tokens may be kept or chosen. It may always be rejected."),
        Row("rounds", Integer, Ours, "1", "How often to sample and train in turn; each round samples from the model that the one before trained. Above 1 it needs train_recipe.")
            with { Range = NumberRange.From(1) },
        Row("train_recipe", TextValue, Ours, null, "The recipe of the training run after each sampling. Its model, data and output folder are the round's."),
        Row("prompts_per_round", Integer, Ours, null, "Each round takes so many prompts of its own, in order; left out: every round asks all of them.") with { Range = NumberRange.From(1) },
        Row("judge", Section, Ours, null, "The model behind a server that rates answers, for judge and pairwise_judge in reward_funcs."),
        Row("judge.template", TextValue, Ours, null, "What the judge is asked, with {prompt}, {answer}, {min_score}, {max_score} and {COLUMN} of the row; left out: a rating of one answer by itself."),
        Row("judge.pair_template", TextValue, Ours, null, "What pairwise_judge is asked, with {prompt}, {answer_a}, {answer_b} and {COLUMN} of the row; left out: which answer is better."),
        Row("judge.min_score", Number, Ours, "1", "The lowest rating."),
        Row("judge.max_score", Number, Ours, "10", "The highest rating."),
        Row("judge.max_new_tokens", Integer, Ours, "512", "The most tokens that the judge may say.") with { Range = NumberRange.From(1) },
    ];

    private static RecipeKey[] Constitution =>
    [
        Row("constitution", TextValue, Ours, null, "The principles: a JSON or YAML file with constitutions (critic, revision) and, perhaps, system_chat.") with { IsRequired = true, IsNullable = false },
        Row("sft_share", Number, Ours, "0.5", "The share of the rows, from the first, that goes into the SFT set; the rest is the preference set.") with { Range = NumberRange.Within(0, 1) },
        Row("revision_rounds", Integer, Ours, "1", "Critiques and revisions of an answer, each under a principle of its own.") with { Range = NumberRange.From(1) },
    ];

    private static RecipeKey[] Endpoint(string section) =>
    [
        Row(section + "url", TextValue, Ours, null, "The server's address, up to and with /v1.") with { IsRequired = true, IsNullable = false },
        Row(section + "model", TextValue, Ours, null, "The model's name there.") with { IsRequired = true, IsNullable = false },
        Row(section + "api_key_env", TextValue, Ours, null, "The environment variable that holds the key; the key itself stands in no recipe."),
        Row(section + "api_key", TextValue, Ours, null, "Refused: a key does not belong into a file; api_key_env names the environment variable that holds it.") with { Verb = KeyVerb.Reject },
        Row(section + "allow_plain_http", Flag, Ours, "false", "Whether the key may travel unencrypted, to an http address of another machine."),
        Row(section + "timeout", Number, Ours, "300", "Seconds that one request may take.") with { Range = NumberRange.Above(0) },
        Row(section + "max_retries", Integer, Ours, "6", "How often a request that failed is repeated.") with { Range = NumberRange.From(0) },
        Row(section + "max_concurrency", Integer, Ours, "8", "The most requests at a time.") with { Range = NumberRange.From(1) },
    ];
}
