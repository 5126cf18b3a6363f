using static Handbook.Recipes.Keys.KeyKind;
using static Handbook.Recipes.Keys.KeyOrigin;
using static Handbook.Recipes.Keys.RecipeKeyTable;

namespace Handbook.Recipes.Keys;

/// <summary>Datasets and mixtures.</summary>
internal static class DataKeys
{
    private const string Entry = "dataset_mixture.datasets[].";

    public static IReadOnlyList<RecipeKey> Rows { get; } =
    [
        .. Examples.Select(row => row with { Effect = KeyEffect.Source }),
        Row("data_seed", Integer, Hf, null, "Seed of the order of rows; left out: seed.") with { Range = NumberRange.From(0) },
        Row("disable_shuffle", Flag, Ours, "false", "Visit rows in file order."),
        Row("group_by_length", Flag, Hf, "false", "Put rows of like length into one batch."),
        Row("dataloader_drop_last", Flag, Hf, "false", "Drop the last batch of an epoch when it is not full."),
    ];

    private static RecipeKey[] Examples =>
    [
        Row("dataset_name", TextValue, Trl, null, "One dataset: a file, a folder, or a hub id; its splits are taken as they are.") with { Tasks = Tasks.Everything },
        Row("dataset_config", TextValue, Trl, null, "The configuration of dataset_name, when it has several.") with { Tasks = Tasks.Everything },
        Row("dataset_train_split", TextValue, Trl, "train", "The split of dataset_name to train on; slices (train[:10%]) are understood."),
        Row("dataset_test_split", TextValue, Trl, "test", "The split of dataset_name to evaluate on; a dataset without it is simply not evaluated. For constitution: the split whose prompts become the test sets.")
            with { Tasks = Tasks.All | Tasks.Constitution },
        Row("dataset_streaming", Flag, Trl, "false", "Prepare only as many rows as max_steps needs, in the order of the files or of the mixture; for data too large to prepare whole."),

        Row("dataset_mixture", Section, H4, null, "Several datasets: each is shuffled, a share of it taken, all concatenated and shuffled again."),
        Row("dataset_mixture.datasets", SectionList, H4, null, "The datasets of the mixture.") with { IsRequired = true, IsNullable = false },
        Row(Entry + "id", TextValue, H4, null, "A file, a folder, or a hub id.") with { IsRequired = true, IsNullable = false },
        Row(Entry + "config", TextValue, H4, null, "The configuration of a dataset that has several."),
        Row(Entry + "split", TextValue, H4, "train", "The split to take."),
        Row(Entry + "columns", TextList, H4, null, "The columns to keep; the set must be the same for every dataset of the mixture."),
        Row(Entry + "weight", Number, H4, "1.0", "The share of the rows to take.") with { Range = NumberRange.Within(0, 1), IsNullable = true },
        Row("dataset_mixture.seed", Integer, H4, "0", "Seed of the shuffles and of the test split.") with { Range = NumberRange.From(0) },
        Row("dataset_mixture.interleave", TextValue, Ours, null, "Take rows of the datasets by turns, as datasets' interleave_datasets does, until this holds; left out: they are shuffled together. Training visits rows in a random order all the same unless shuffling is off.")
            with { Choices = ["first_exhausted", "all_exhausted", "all_exhausted_without_replacement"] },
        Row("dataset_mixture.probabilities", NumberList, Ours, null, "With which probability a row comes from which dataset of an interleaved mixture; left out: one of each in turn.")
            with { OnlyWith = "dataset_mixture.interleave" },
        Row("dataset_mixture.test_split_size", RowShare, H4, null, "What is set aside for evaluation: rows, or a share."),

        Row("dataset_mixer", NumberMap, H4, null, "v0.3's mixture: dataset to share. The first rows of each training split; test splits whole; shuffled with seed 42.")
            with { Range = NumberRange.Within(0, 1) },
        Row("dataset_splits", TextList, H4, "[train, test]", "Splits of dataset_mixer; each name must contain train or test.") with { OnlyWith = "dataset_mixer" },
        Row("dataset_configs", TextList, H4, null, "One configuration for each dataset of dataset_mixer.") with { OnlyWith = "dataset_mixer" },

        Row("dataset_num_proc", Integer, Trl, null, "The most threads that prepare data; the order never depends on it.") with { Range = NumberRange.From(1) },
        Row("dataset_text_field", TextValue, Trl, "text", "The column of plain text.") with { Tasks = Tasks.Everything },
        Row("text_column", TextValue, H4, null, "The column of plain text of cpt; overrides dataset_text_field. No effect on sft.") with { Tasks = Tasks.Language },
        Row("dataset_kwargs", Section, Trl, null, "Settings of preparation."),
        Row("dataset_kwargs.add_special_tokens", Flag, Trl, null, "Whether plain text gets BOS. Left out: as the profile does."),
        Row("dataset_kwargs.append_concat_token", Flag, Trl, null, "Whether EOS stands between packed texts. Left out: as the profile does."),
        Row("dataset_kwargs.skip_prepare_dataset", Flag, Trl, "false", "Rows already hold input_ids (and labels)."),
        Row("max_train_samples", Integer, H4, null, "The most training rows.") with { Range = NumberRange.From(1) },
        Row("max_eval_samples", Integer, H4, null, "The most evaluation rows.") with { Range = NumberRange.From(1) },
        Row("on_bad_row", TextValue, Ours, "error", "What to do with a row that cannot be read or used: stop, or leave it out and count it.")
            with { Choices = ["error", "skip"], Tasks = Tasks.Everything },
        Row("rename_columns", TextMap, Ours, null, "New names of columns, by their names in the files, before shapes are recognised.") with { Tasks = Tasks.Everything },
        Row("sample_by", TextValue, Ours, null, "What one example of a plain text file is. Left out: document; line in the profiles v0.3 and trl-0.19.")
            with { Choices = ["document", "paragraph", "line"] },
        Row("deduplicate", TextValue, Ours, "none", "Remove examples that repeat an earlier one: word for word, or nearly (MinHash).")
            with { Choices = ["none", "exact", "near"] },
        Row("deduplicate_threshold", Number, Ours, "0.8", "Least similarity (Jaccard, of runs of five words) of near duplicates.") with { Range = NumberRange.Within(0, 1) },
        Row("decontaminate", TextList, Ours, null, "Evaluation sets (files, folders, ids; split test) whose word sequences must not occur in training examples."),
        Row("decontaminate_words", Integer, Ours, "13", "Words in a row that must be the same.") with { Range = NumberRange.From(3) },
        Row("decontaminate_humaneval", TextValue, Ours, null, "The HumanEval set: v0.3's rule, which removes examples that hold a docstring or solution of it."),
        Row("min_characters", Integer, Ours, null, "Remove shorter examples.") with { Range = NumberRange.From(1) },
        Row("max_characters", Integer, Ours, null, "Remove longer examples.") with { Range = NumberRange.From(1) },
        Row("row_filters", TextList, Ours, null, "Conditions that rows must meet, such as score >= 4 or lang == en."),
    ];
}
