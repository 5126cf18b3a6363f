using Handbook.Data.Packing;
using Handbook.Training.Options;
using static Handbook.Recipes.Keys.KeyOrigin;
using static Handbook.Recipes.Keys.OptionParts;
using static Handbook.Recipes.Keys.RecipeKeyTable;
using static Handbook.Recipes.Keys.ValueForms;

namespace Handbook.Recipes.Keys;

/// <summary>From examples to rows of tokens with labels.</summary>
internal static class SequenceKeys
{
    private static readonly ValueForm<TruncationMode?> Cuts = OneOfOrNull(
        ("keep_end", TruncationMode.KeepEnd), ("keep_start", TruncationMode.KeepStart), ("drop", TruncationMode.Drop),
        ("split", TruncationMode.Split));

    private static readonly ValueForm<PackingStrategy> Strategies = OneOf(
        ("bfd", PackingStrategy.BestFit), ("bfd_split", PackingStrategy.BestFitSplit), ("ffd", PackingStrategy.BestFitBy1000),
        ("wrapped", PackingStrategy.Wrapped), ("none", PackingStrategy.None));

    public static IReadOnlyList<RecipeKey> Rows { get; } =
    [
        Row("max_length", IntegerOrNull, Trl, "1024", "Tokens a row; prompt and answer together. null: the model's limit, at most 1024.")
            .To(Sequences, (o, v) => o with { MaxLength = v }) with { Range = NumberRange.From(2) },
        Row("max_prompt_length", IntegerOrNull, Trl, null, "The most tokens of a preference prompt.")
            .To(Sequences, (o, v) => o with { MaxPromptLength = v })
            with
            {
                Range = NumberRange.From(1),
                Tasks = TaskSet.Preference,
                Defaults = [new("128", Profile: Profile.V03), new("512", Profile: Profile.Trl019)],
            },
        Row("max_completion_length", IntegerOrNull, Trl, null, "The most tokens of a preference answer.")
            .To(Sequences, (o, v) => o with { MaxCompletionLength = v })
            with { Range = NumberRange.From(1), Tasks = TaskSet.Preference },
        Row("truncation_mode", Cuts, Trl, null,
            "What becomes of a too long example: which end is kept, or drop it, or split it over rows (sft, cpt). Left out: the end is "
            + "kept for preferences, the start otherwise; cpt splits.")
            .To(Sequences, (o, v) => v is null ? o : o with { Truncation = v }),
        Row("packing", Flag, Trl, "false",
            "Several examples share a row. They never see each other, except under packing_strategy wrapped.")
            with
            {
                Defaults = [new("true", TaskSet.PlainText), new("true", TaskSet.Conversations, Profile.V03), new("false")],
                Tasks = TaskSet.Language,
            },
        Row("packing_strategy", Strategies, Trl, "bfd",
            "bfd: whole examples, best-fit decreasing. bfd_split: the same, over-long examples split instead of cut. ffd: TRL 0.19's "
            + "first-fit decreasing. wrapped: end to end, cut anywhere, as the original. none: no packing.")
            .To(Sequences, Pack)
            with
            {
                Defaults = [new("wrapped", Profile: Profile.V03), new("ffd", Profile: Profile.Trl019), new("bfd")],
                Tasks = TaskSet.Language,
            },
        Row("eval_packing", FlagOrNull, Trl, null, "Packing of evaluation rows; left out: as packing.")
            .To(Sequences, PackEvaluation)
            with { Tasks = TaskSet.Language, Effect = KeyEffect.Course },
        Row("assistant_only_loss", Flag, Trl, "false",
            "Only what the assistant says counts in the loss, end-of-turn token included; needs no generation tags in the template.")
            .To(Sequences, (o, v) => v ? o with { LossScope = LossScope.AssistantTurns } : o),
        Row("completion_only_loss", FlagOrNull, Trl, null,
            "Only tokens after the prompt count. Left out: true for data with prompt and completion.")
            .To(Sequences, Completions),
    ];

    /// <summary>Packing that is not spoken of follows its strategy, where one is given.</summary>
    private static SequenceOptions Pack(SequenceOptions options, PackingStrategy strategy, RecipeValues values)
    {
        var packs = values.Flag("packing") || (values.Has("packing_strategy") && !values.Has("packing"));
        var packing = packs ? OfProfile(strategy, values.Profile) : PackingStrategy.None;
        return options with { Packing = packing, EvaluationPacking = packing };
    }

    private static SequenceOptions PackEvaluation(SequenceOptions options, bool? packs, RecipeValues values) => packs switch
    {
        null => options,
        false => options with { EvaluationPacking = PackingStrategy.None },
        true => options with { EvaluationPacking = OfProfile(Strategies.Of(values.Value("packing_strategy")), values.Profile) },
    };

    private static PackingStrategy OfProfile(PackingStrategy strategy, Profile profile) => (strategy, profile) switch
    {
        (PackingStrategy.Wrapped, Profile.V03) => PackingStrategy.Legacy,
        (PackingStrategy.Wrapped, Profile.Trl019) => PackingStrategy.WrappedBy1000,
        _ => strategy,
    };

    private static SequenceOptions Completions(SequenceOptions options, bool? only) =>
        only is not { } completions || options.LossScope == LossScope.AssistantTurns ? options
            : options with { LossScope = completions ? LossScope.Completions : LossScope.Everything };
}
