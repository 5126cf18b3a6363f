using Handbook.Data.Cleaning;
using Handbook.Data.Mixtures;
using Handbook.Data.Preparation;
using Handbook.Data.Sources;
using Handbook.Recipes.Keys;
using Handbook.Training.Options;

namespace Handbook.Recipes;

/// <summary>From the three ways of naming datasets to one list of sources.</summary>
internal static class DataOptionsBinder
{
    public static DataOptions Bind(RecipeValues values, TrainingTask task)
    {
        var data = values.Has("dataset_mixture") ? Mixture(values) : values.Has("dataset_mixer") ? Mixer(values) : Single(values);
        return data with
        {
            OrderSeed = values.IntegerOrNull("data_seed"),
            DisableShuffle = values.Flag("disable_shuffle"),
            Streaming = values.Flag("dataset_streaming"),
            PreparationThreads = values.IntegerOrNull("dataset_num_proc"),
            TextColumn = (task == TrainingTask.Cpt ? values.Text("text_column") : null) ?? values.Text("dataset_text_field")!,
            AddSpecialTokens = values.FlagOrNull("dataset_kwargs.add_special_tokens"),
            AppendConcatToken = values.FlagOrNull("dataset_kwargs.append_concat_token"),
            SkipPreparation = values.Flag("dataset_kwargs.skip_prepare_dataset"),
            MaxTrainSamples = values.IntegerOrNull("max_train_samples"),
            MaxEvalSamples = values.IntegerOrNull("max_eval_samples"),
            RenameColumns = values.TextMap("rename_columns")?.ToDictionary(pair => pair.Key, pair => pair.Value),
            TextUnit = values.Text("sample_by") switch
            {
                "document" => TextUnit.Document,
                "paragraph" => TextUnit.Paragraph,
                "line" => TextUnit.Line,
                _ => null,
            },
            Cleaning = Cleaning(values),
            OnBadRow = values.Text("on_bad_row") == "skip" ? BadRowPolicy.Skip : BadRowPolicy.Error,
        };
    }

    private static DataOptions Single(RecipeValues values)
    {
        var (name, config) = (values.Text("dataset_name")!, values.Text("dataset_config"));
        return new DataOptions
        {
            Form = MixtureForm.Single,
            Sources = [new DatasetSource(name, config, values.Text("dataset_train_split")!, null, 1)],
            TestSource = new DatasetSource(name, config, values.Text("dataset_test_split")!, null, 1),
        };
    }

    private static DataOptions Mixture(RecipeValues values) => new()
    {
        Form = MixtureForm.Mixture,
        Sources =
        [
            .. Enumerable.Range(0, values.Count("dataset_mixture.datasets")).Select(index => $"dataset_mixture.datasets[{index}].").Select(entry =>
                new DatasetSource(values.Text(entry + "id")!, values.Text(entry + "config"), values.Text(entry + "split")!,
                    values.Texts(entry + "columns"), values.NumberOrNull(entry + "weight") ?? 1)),
        ],
        MixtureSeed = values.Integer("dataset_mixture.seed"),
        Interleave = values.Text("dataset_mixture.interleave") switch
        {
            "first_exhausted" => StoppingStrategy.FirstExhausted,
            "all_exhausted" => StoppingStrategy.AllExhausted,
            "all_exhausted_without_replacement" => StoppingStrategy.AllExhaustedWithoutReplacement,
            _ => null,
        },
        Probabilities = values.Numbers("dataset_mixture.probabilities"),
        TestSplitSize = values.Rows("dataset_mixture.test_split_size"),
    };

    private static DataOptions Mixer(RecipeValues values)
    {
        var configs = values.Texts("dataset_configs");
        return new DataOptions
        {
            Form = MixtureForm.Mixer,
            Sources =
            [
                .. values.NumberMap("dataset_mixer")!.Index().SelectMany(entry => values.Texts("dataset_splits")!.Select(split =>
                    new DatasetSource(entry.Item.Key, configs?[entry.Index], split, null, entry.Item.Value))),
            ],
            // The original's seed of this form is fixed.
            MixtureSeed = 42,
        };
    }

    private static CleaningOptions Cleaning(RecipeValues values) => new()
    {
        ExactDuplicates = values.Text("deduplicate") is "exact" or "near",
        NearDuplicates = values.Text("deduplicate") == "near" ? new NearDuplicateOptions { Threshold = values.Number("deduplicate_threshold") } : null,
        Decontaminate = [.. (values.Texts("decontaminate") ?? []).Select(name => new EvaluationSet(name, new DatasetRequest(name, Split: "test")))],
        NGramWords = values.Integer("decontaminate_words"),
        HumanEval = values.Text("decontaminate_humaneval") is { } set ? new DatasetRequest(set, Split: "test") : null,
        MinCharacters = values.IntegerOrNull("min_characters"),
        MaxCharacters = values.IntegerOrNull("max_characters"),
        Columns = [.. (values.Texts("row_filters") ?? []).Select(ColumnFilter.Parse)],
    };
}
