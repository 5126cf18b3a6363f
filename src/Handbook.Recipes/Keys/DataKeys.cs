using Handbook.Data.Cleaning;
using Handbook.Data.Mixtures;
using Handbook.Data.Preparation;
using Handbook.Data.Sources;
using Handbook.Training.Options;
using static Handbook.Recipes.Keys.KeyOrigin;
using static Handbook.Recipes.Keys.OptionParts;
using static Handbook.Recipes.Keys.RecipeKeyTable;
using static Handbook.Recipes.Keys.ValueForms;

namespace Handbook.Recipes.Keys;

/// <summary>Datasets and mixtures.</summary>
internal static class DataKeys
{
    private const string Datasets = "dataset_mixture.datasets";
    private const string Entry = Datasets + "[].";

    private static readonly ValueForm<StoppingStrategy?> Stops = OneOfOrNull(
        ("first_exhausted", StoppingStrategy.FirstExhausted), ("all_exhausted", StoppingStrategy.AllExhausted),
        ("all_exhausted_without_replacement", StoppingStrategy.AllExhaustedWithoutReplacement));

    private static readonly ValueForm<TextUnit?> Units = OneOfOrNull(
        ("document", TextUnit.Document), ("paragraph", TextUnit.Paragraph), ("line", TextUnit.Line));

    private static readonly ValueForm<BadRowPolicy> Policies = OneOf(("error", BadRowPolicy.Error), ("skip", BadRowPolicy.Skip));

    public static IReadOnlyList<RecipeKey> Rows { get; } =
    [
        .. Examples.Select(row => row with { Effect = KeyEffect.Source }),
        Row("data_seed", IntegerOrNull, Hf, null, "Seed of the order of rows; left out: seed.")
            .To(TrainingData, (o, v) => o with { OrderSeed = v }) with { Range = NumberRange.From(0) },
        Row("disable_shuffle", Flag, Ours, "false", "Visit rows in file order.")
            .To(TrainingData, (o, v) => o with { DisableShuffle = v }),
        Row("group_by_length", Flag, Hf, "false", "Put rows of like length into one batch.")
            .To(Sequences, (o, v) => o with { GroupByLength = v }),
        Row("dataloader_drop_last", Flag, Hf, "false", "Drop the last batch of an epoch when it is not full.")
            .To(Sequences, (o, v) => o with { DropLastBatch = v }),
    ];

    private static RecipeKey[] Examples =>
    [
        Row("dataset_name", TextOrNull, Trl, null, "One dataset: a file, a folder, or a hub id; its splits are taken as they are.")
            .To(TrainingData, Single)
            .To(Prompts, (o, v, values) => o with { Dataset = new(v!, values.Text("dataset_config"), values.Text("dataset_split")!) })
            with { Tasks = TaskSet.Everything },
        Row("dataset_config", TextOrNull, Trl, null,
            "The configuration of dataset_name, when it has several.")
            with { Tasks = TaskSet.Everything },
        Row("dataset_train_split", Text, Trl, "train", "The split of dataset_name to train on; slices (train[:10%]) are understood."),
        Row("dataset_test_split", Text, Trl, "test",
            "The split of dataset_name to evaluate on; a dataset without it is simply not evaluated. For constitution: the split whose "
            + "prompts become the test sets.")
            .To(Constitution, (o, v) => o with { TestDataset = o.Prompts.Dataset with { Split = v } })
            with { Tasks = TaskSet.Training | TaskSet.Constitution },
        Row("dataset_streaming", Flag, Trl, "false",
            "Prepare only as many rows as max_steps needs, in the order of the files or of the mixture; for data too large to prepare "
            + "whole.")
            .To(TrainingData, (o, v) => o with { Streaming = v }),

        Row("dataset_mixture", SectionOrNull, H4, null,
            "Several datasets: each is shuffled, a share of it taken, all concatenated and shuffled again."),
        Row(Datasets, Sections, H4, null, "The datasets of the mixture.")
            .To(TrainingData, Mixture) with { IsRequired = true },
        Row(Entry + "id", Text, H4, null, "A file, a folder, or a hub id.") with { IsRequired = true },
        Row(Entry + "config", TextOrNull, H4, null, "The configuration of a dataset that has several."),
        Row(Entry + "split", Text, H4, "train", "The split to take."),
        Row(Entry + "columns", TextsOrNull, H4, null, "The columns to keep; the set must be the same for every dataset of the mixture."),
        Row(Entry + "weight", NumberOrNull, H4, "1.0", "The share of the rows to take.") with { Range = NumberRange.Within(0, 1) },
        Row("dataset_mixture.seed", Integer, H4, "0", "Seed of the shuffles and of the test split.")
            .To(TrainingData, (o, v) => o with { MixtureSeed = v }) with { Range = NumberRange.From(0) },
        Row("dataset_mixture.interleave", Stops, Ours, null,
            "Take rows of the datasets by turns, as datasets' interleave_datasets does, until this holds; left out: they are shuffled "
            + "together. Training visits rows in a random order all the same unless shuffling is off.")
            .To(TrainingData, (o, v) => o with { Interleave = v }),
        Row("dataset_mixture.probabilities", NumbersOrNull, Ours, null,
            "With which probability a row comes from which dataset of an interleaved mixture; left out: one of each in turn.")
            .To(TrainingData, (o, v) => o with { Probabilities = v }) with { OnlyWith = "dataset_mixture.interleave" },
        Row("dataset_mixture.test_split_size", RowShareOrNull, H4, null, "What is set aside for evaluation: rows, or a share.")
            .To(TrainingData, (o, v) => o with { TestSplitSize = v }),

        Row("dataset_mixer", NumberMapOrNull, H4, null,
            "v0.3's mixture: dataset to share. The first rows of each training split; test splits whole; shuffled with seed 42.")
            .To(TrainingData, Mixer) with { Range = NumberRange.Within(0, 1) },
        Row("dataset_splits", Texts, H4, "[train, test]",
            "Splits of dataset_mixer; each name must contain train or test.")
            with { OnlyWith = "dataset_mixer" },
        Row("dataset_configs", TextsOrNull, H4, null,
            "One configuration for each dataset of dataset_mixer.")
            with { OnlyWith = "dataset_mixer" },

        Row("dataset_num_proc", IntegerOrNull, Trl, null, "The most threads that prepare data; the order never depends on it.")
            .To(TrainingData, (o, v) => o with { PreparationThreads = v }) with { Range = NumberRange.From(1) },
        Row("dataset_text_field", Text, Trl, "text", "The column of plain text.")
            .To(TrainingData, (o, v) => o with { TextColumn = v })
            .To(Prompts, (o, v) => o with { TextColumn = v }) with { Tasks = TaskSet.Everything },
        Row("text_column", TextOrNull, H4, null, "The column of plain text of cpt; overrides dataset_text_field. No effect on sft.")
            .To(TrainingData, (o, v, values) => v is not null && TaskSet.PlainText.Includes(values.Task) ? o with { TextColumn = v } : o)
            with { Tasks = TaskSet.Language },
        Row("dataset_kwargs", SectionOrNull, Trl, null, "Settings of preparation."),
        Row("dataset_kwargs.add_special_tokens", FlagOrNull, Trl, null, "Whether plain text gets BOS. Left out: as the profile does.")
            .To(TrainingData, (o, v) => o with { AddSpecialTokens = v }),
        Row("dataset_kwargs.append_concat_token", FlagOrNull, Trl, null,
            "Whether EOS stands between packed texts. Left out: as the profile does.")
            .To(TrainingData, (o, v) => o with { AppendConcatToken = v }),
        Row("dataset_kwargs.skip_prepare_dataset", Flag, Trl, "false", "Rows already hold input_ids (and labels).")
            .To(TrainingData, (o, v) => o with { SkipPreparation = v }),
        Row("max_train_samples", IntegerOrNull, H4, null, "The most training rows.")
            .To(TrainingData, (o, v) => o with { MaxTrainSamples = v }) with { Range = NumberRange.From(1) },
        Row("max_eval_samples", IntegerOrNull, H4, null, "The most evaluation rows.")
            .To(TrainingData, (o, v) => o with { MaxEvalSamples = v }) with { Range = NumberRange.From(1) },
        Row("on_bad_row", Policies, Ours, "error", "What to do with a row that cannot be read or used: stop, or leave it out and count it.")
            .To(TrainingData, (o, v) => o with { OnBadRow = v })
            .To(Prompts, (o, v) => o with { SkipBadRows = v == BadRowPolicy.Skip })
            with { Tasks = TaskSet.Everything },
        Row("rename_columns", TextMapOrNull, Ours, null, "New names of columns, by their names in the files, before shapes are recognised.")
            .To(TrainingData, (o, v) => o with { RenameColumns = v })
            .To(Prompts, (o, v) => o with { RenameColumns = v }) with { Tasks = TaskSet.Everything },
        Row("sample_by", Units, Ours, null,
            "What one example of a plain text file is. Left out: document; line in the profiles v0.3 and trl-0.19.")
            .To(TrainingData, (o, v) => o with { TextUnit = v }),
        Row("deduplicate", Text, Ours, "none", "Remove examples that repeat an earlier one: word for word, or nearly (MinHash).")
            .To(Cleaning, (o, v) => o with { ExactDuplicates = v is "exact" or "near", NearDuplicates = v == "near" ? new() : null })
            with { Choices = ["none", "exact", "near"] },
        Row("deduplicate_threshold", Number, Ours, "0.8", "Least similarity (Jaccard, of runs of five words) of near duplicates.")
            .To(Duplicates, (o, v) => o with { Threshold = v }) with { Range = NumberRange.Within(0, 1) },
        Row("decontaminate", TextsOrNull, Ours, null,
            "Evaluation sets (files, folders, ids; split test) whose word sequences must not occur in training examples.")
            .To(Cleaning, (o, v) => o with { Decontaminate = [.. (v ?? []).Select(name => new EvaluationSet(name, Test(name)))] }),
        Row("decontaminate_words", Integer, Ours, "13", "Words in a row that must be the same.")
            .To(Cleaning, (o, v) => o with { NGramWords = v }) with { Range = NumberRange.From(3) },
        Row("decontaminate_humaneval", TextOrNull, Ours, null,
            "The HumanEval set: v0.3's rule, which removes examples that hold a docstring or solution of it.")
            .To(Cleaning, (o, v) => o with { HumanEval = v is null ? null : Test(v) }),
        Row("min_characters", IntegerOrNull, Ours, null, "Remove shorter examples.")
            .To(Cleaning, (o, v) => o with { MinCharacters = v }) with { Range = NumberRange.From(1) },
        Row("max_characters", IntegerOrNull, Ours, null, "Remove longer examples.")
            .To(Cleaning, (o, v) => o with { MaxCharacters = v }) with { Range = NumberRange.From(1) },
        Row("row_filters", TextsOrNull, Ours, null, "Conditions that rows must meet, such as score >= 4 or lang == en.")
            .To(Cleaning, (o, v) => o with { Columns = [.. (v ?? []).Select(ColumnFilter.Parse)] }),
    ];

    private static DataOptions Single(DataOptions options, string? name, RecipeValues values)
    {
        if (name is null)
            return options;
        DatasetSource Split(string key) => new(name, values.Text("dataset_config"), values.Text(key)!, null, 1);
        var test = Split("dataset_test_split");
        return options with { Form = MixtureForm.Single, Sources = [Split("dataset_train_split")], TestSource = test };
    }

    private static DataOptions Mixture(DataOptions options, int count, RecipeValues values)
    {
        if (count == 0)
            return options;
        DatasetSource Source(string entry) => new(values.Text(entry + "id")!, values.Text(entry + "config"), values.Text(entry + "split")!,
            values.Texts(entry + "columns"), values.NumberOrNull(entry + "weight") ?? 1);
        return options with
        {
            Form = MixtureForm.Mixture,
            Sources = [.. Enumerable.Range(0, count).Select(index => Source($"{Datasets}[{index}]."))],
            TestSource = null,
        };
    }

    private static DataOptions Mixer(DataOptions options, IReadOnlyList<KeyValuePair<string, double>>? shares, RecipeValues values)
    {
        if (shares is null)
            return options;
        var configs = values.Texts("dataset_configs");
        return options with
        {
            Form = MixtureForm.Mixer,
            Sources =
            [
                .. shares.Index().SelectMany(entry => values.Texts("dataset_splits")!.Select(split =>
                    new DatasetSource(entry.Item.Key, configs?[entry.Index], split, null, entry.Item.Value))),
            ],
            TestSource = null,
            // The original's seed of this form is fixed.
            MixtureSeed = 42,
        };
    }

    private static DatasetRequest Test(string name) => new(name, Split: "test");
}
