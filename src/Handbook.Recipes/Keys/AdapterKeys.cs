using Handbook.Models.Adapters;
using static Handbook.Recipes.Keys.KeyOrigin;
using static Handbook.Recipes.Keys.OptionParts;
using static Handbook.Recipes.Keys.RecipeKeyTable;
using static Handbook.Recipes.Keys.ValueForms;

namespace Handbook.Recipes.Keys;

/// <summary>Adapters and weights in few bits.</summary>
internal static class AdapterKeys
{
    public static IReadOnlyList<RecipeKey> Rows { get; } =
    [
        Row("use_peft", Flag, H4, "false", "Train a low-rank adapter instead of all weights.")
            .To(Run, (o, v) => o with { Lora = v ? new() : null }),
        Row("lora_r", Integer, H4, "16", "Width of the low-rank pair.")
            .To(Lora, (o, v) => o with { Rank = v }) with { Range = NumberRange.From(1) },
        Row("lora_alpha", Number, H4, "32", "The update is scaled by lora_alpha / lora_r.")
            .To(Lora, (o, v) => o with { Alpha = v }) with { Range = NumberRange.Above(0) },
        Row("lora_dropout", Number, H4, "0.05", "Dropout on the adapter's input.")
            .To(Lora, (o, v) => o with { Dropout = v }) with { Range = NumberRange.Below(0, 1) },
        Row("lora_target_modules", TextsOrNull, H4, null,
            "Names, suffixes, one regular expression, or all-linear; left out: the architecture's default.")
            .To(Lora, (o, v) => o with { TargetModules = v }),
        Row("lora_target_parameters", TextsOrNull, Trl, null,
            "Names or suffixes of parameters that are no module's weight: experts in one tensor, such as mlp.experts.gate_up_proj.")
            .To(Lora, (o, v) => o with { TargetParameters = v ?? [] }),
        Row("lora_modules_to_save", TextsOrNull, H4, null, "Modules trained and saved whole.")
            .To(Lora, (o, v) => o with { ModulesToSave = v ?? [] }),
        Row("ensure_weight_tying", Flag, Ours, "false",
            "Adapt a matrix that is embedding and head in both uses, when lora_target_modules name it.")
            .To(Lora, (o, v) => o with { EnsureWeightTying = v }),
        Row("adapter_name_or_path", TextOrNull, Ours, null,
            "The folder of an adapter that is trained on, with its own settings, instead of a new one.")
            .To(Lora, (o, v) => o with { AdapterNameOrPath = v }) with { Effect = KeyEffect.Source },
        Row("lora_rank_pattern", NumberMapOrNull, Ours, null,
            "Another rank for modules whose name ends in a pattern: a mapping; the first that fits counts.")
            .To(Lora, (o, v) => o with { RankPattern = v ?? [] }),
        Row("lora_alpha_pattern", NumberMapOrNull, Ours, null, "Another alpha likewise.")
            .To(Lora, (o, v) => o with { AlphaPattern = v ?? [] }),
        Row("init_lora_weights", TextOrFlagOrNull, Ours, "true",
            "How a new adapter begins: with no change to the model (true, gaussian), with the weights' principal vectors (pissa), or at "
            + "random (false).")
            .To(Lora, (o, v) => o with { Initialization = LoraConfig.InitializationOf(v ?? "true") ?? default })
            with { Choices = ["true", "false", "gaussian", "pissa", "pissa_niter_4", "pissa_niter_16"] },
        Row("lora_task_type", Text, Trl, "CAUSAL_LM", "PEFT's task type.")
            .To(Lora, (o, v) => o with { TaskType = v })
            with { Choices = ["CAUSAL_LM", "SEQ_CLS"], Defaults = [new("SEQ_CLS", TaskSet.Classifiers), new("CAUSAL_LM")] },
        Row("use_rslora", Flag, Trl, "false", "Scale by alpha / sqrt(r).")
            .To(Lora, (o, v) => o with { UseRsLora = v }),
        Row("use_dora", Flag, Trl, "false", "Weight-decomposed adapters.")
            .To(Lora, (o, v) => o with { UseDora = v }),
        Row("load_in_4bit", Flag, H4, "false", "Hold the frozen weights in 4 bits (QLoRA).")
            .To(Run, (o, v) => o with { Quantization = v ? new() { Bits = 4 } : null }),
        Row("load_in_8bit", Flag, H4, "false", "Hold the frozen weights in 8 bits.")
            .To(Run, (o, v) => v ? o with { Quantization = o.Quantization ?? new() { Bits = 8 } } : o),
        Row("bnb_4bit_quant_type", Text, H4, "nf4", "Codes of 4-bit weights.")
            .To(Quantization, (o, v) => o with { QuantType = v }) with { Choices = ["nf4", "fp4"] },
        Row("use_bnb_nested_quant", Flag, H4, "false", "Quantise the scales of the blocks too.")
            .To(Quantization, (o, v) => o with { DoubleQuantization = v }),
    ];
}
