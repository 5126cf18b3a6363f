using Handbook.Training.Options;
using static Handbook.Recipes.Keys.KeyKind;
using static Handbook.Recipes.Keys.KeyOrigin;
using static Handbook.Recipes.Keys.RecipeKeyTable;

namespace Handbook.Recipes.Keys;

/// <summary>From examples to rows of tokens with labels.</summary>
internal static class SequenceKeys
{
    public static IReadOnlyList<RecipeKey> Rows { get; } =
    [
        Row("max_length", Integer, Trl, "1024", "Tokens a row; prompt and answer together. null: the model's limit, at most 1024.")
            with { Range = NumberRange.From(2), IsNullable = true },
        Row("max_prompt_length", Integer, Trl, null, "The most tokens of a preference prompt.")
            with
            {
                Range = NumberRange.From(1),
                Tasks = Tasks.Preference,
                Defaults = [new("128", Profile: Profile.V03), new("512", Profile: Profile.Trl019)],
            },
        Row("max_completion_length", Integer, Trl, null, "The most tokens of a preference answer.")
            with { Range = NumberRange.From(1), Tasks = Tasks.Preference },
        Row("truncation_mode", TextValue, Trl, null, "What becomes of a too long example: which end is kept, or drop it, or split it over rows (sft, cpt). Left out: the end is kept for preferences, the start otherwise; cpt splits.")
            with { Choices = ["keep_end", "keep_start", "drop", "split"] },
        Row("packing", Flag, Trl, "false", "Several examples share a row. They never see each other, except under packing_strategy wrapped.")
            with { Defaults = [new("true", Tasks.Cpt), new("true", Tasks.Sft, Profile.V03), new("false")], Tasks = Tasks.Language },
        Row("packing_strategy", TextValue, Trl, "bfd",
            "bfd: whole examples, best-fit decreasing. bfd_split: the same, over-long examples split instead of cut. ffd: TRL 0.19's first-fit decreasing. wrapped: end to end, cut anywhere, as the original. none: no packing.")
            with
            {
                Choices = ["bfd", "bfd_split", "ffd", "wrapped", "none"],
                Defaults = [new("wrapped", Profile: Profile.V03), new("ffd", Profile: Profile.Trl019), new("bfd")],
                Tasks = Tasks.Language,
            },
        Row("eval_packing", Flag, Trl, null, "Packing of evaluation rows; left out: as packing.") with { Tasks = Tasks.Language, Effect = KeyEffect.Course },
        Row("assistant_only_loss", Flag, Trl, "false", "Only what the assistant says counts in the loss, end-of-turn token included; needs no generation tags in the template.")
            with { Tasks = Tasks.Sft },
        Row("completion_only_loss", Flag, Trl, null, "Only tokens after the prompt count. Left out: true for data with prompt and completion.")
            with { Tasks = Tasks.Sft },
    ];
}
