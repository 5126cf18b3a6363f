using static Handbook.Recipes.Keys.KeyKind;
using static Handbook.Recipes.Keys.KeyOrigin;
using static Handbook.Recipes.Keys.RecipeKeyTable;

namespace Handbook.Recipes.Keys;

/// <summary>Adapters and weights in few bits.</summary>
internal static class AdapterKeys
{
    public static IReadOnlyList<RecipeKey> Rows { get; } =
    [
        Row("use_peft", Flag, H4, "false", "Train a low-rank adapter instead of all weights."),
        Row("lora_r", Integer, H4, "16", "Width of the low-rank pair.") with { Range = NumberRange.From(1) },
        Row("lora_alpha", Number, H4, "32", "The update is scaled by lora_alpha / lora_r.") with { Range = NumberRange.Above(0) },
        Row("lora_dropout", Number, H4, "0.05", "Dropout on the adapter's input.") with { Range = NumberRange.Below(0, 1) },
        Row("lora_target_modules", TextList, H4, null, "Names, suffixes, one regular expression, or all-linear; left out: the architecture's default."),
        Row("lora_modules_to_save", TextList, H4, null, "Modules trained and saved whole."),
        Row("lora_task_type", TextValue, Trl, "CAUSAL_LM", "PEFT's task type.") with { Choices = ["CAUSAL_LM", "SEQ_CLS"], Defaults = [new("SEQ_CLS", Tasks.Reward), new("CAUSAL_LM")] },
        Row("use_rslora", Flag, Trl, "false", "Scale by alpha / sqrt(r)."),
        Row("use_dora", Flag, Trl, "false", "Weight-decomposed adapters."),
        Row("load_in_4bit", Flag, H4, "false", "Hold the frozen weights in 4 bits (QLoRA)."),
        Row("load_in_8bit", Flag, H4, "false", "Hold the frozen weights in 8 bits."),
        Row("bnb_4bit_quant_type", TextValue, H4, "nf4", "Codes of 4-bit weights.") with { Choices = ["nf4", "fp4"] },
        Row("use_bnb_nested_quant", Flag, H4, "false", "Quantise the scales of the blocks too."),
    ];
}
