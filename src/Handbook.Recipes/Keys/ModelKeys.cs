using static Handbook.Recipes.Keys.KeyKind;
using static Handbook.Recipes.Keys.KeyOrigin;
using static Handbook.Recipes.Keys.RecipeKeyTable;

namespace Handbook.Recipes.Keys;

/// <summary>Model, tokenizer and numbers.</summary>
internal static class ModelKeys
{
    // The numbers that precision, bf16, fp16 and torch_dtype come to are compared by themselves.
    public static IReadOnlyList<RecipeKey> Rows { get; } =
    [
        Row("model_name_or_path", TextValue, H4, null, "The model: a local folder first, then a hub id. A folder may hold an adapter.") with { Tasks = Tasks.Everything, Effect = KeyEffect.Source },
        Row("model_config", Anything, Ours, null,
            "A new model with random weights in place of model_name_or_path: the content of its config.json (model_type, hidden_size, ...). vocab_size may be left out: it is then the tokenizer's."),
        Row("tokenizer_name_or_path", TextValue, H4, null, "Another tokenizer than the model's.") with { Tasks = Tasks.Everything, Effect = KeyEffect.Source },
        Row("torch_dtype", TextValue, H4, null,
            "Dtype of the weights on disk and, without bf16 or fp16, in training. auto takes the checkpoint's. Under bf16: true, master weights are fp32 whatever is written here.")
            with { Choices = ["auto", "bfloat16", "float16", "float32"], Tasks = Tasks.Everything, Effect = KeyEffect.Course },
        Row("precision", TextValue, Ours, "auto",
            "bf16-mixed: bf16 products, fp32 master weights. fp32: fp32 throughout. bf16: bf16 throughout, updates rounded stochastically. fp16-mixed: fp16 products with loss scaling. auto follows bf16, fp16 and torch_dtype; where none of them is given, it is bf16-mixed on machines that multiply bf16 faster than fp32 (measured, see handbook doctor) and fp32 on others.")
            with { Choices = ["auto", "bf16-mixed", "fp32", "bf16", "fp16-mixed"], Effect = KeyEffect.Course },
        Row("bf16", Flag, Hf, "true", "bf16 products with fp32 master weights; true asks for them on machines that are no faster with them, too. false with torch_dtype bfloat16 trains in bf16 throughout; false otherwise in fp32.")
            with { Defaults = [new("false", Profile: Profile.V03), new("true")], IsNullable = true, Effect = KeyEffect.Course },
        Row("fp16", Flag, Hf, "false", "fp16 products with loss scaling and fp32 master weights.") with { Effect = KeyEffect.Course },
        Row("chat_template", TextValue, H4, null, "A Jinja chat template in place of the tokenizer's own; saved with the model.") with { Tasks = Tasks.Everything },
        Row("eos_token", TextValue, Trl, null, "The token that ends a turn; must be in the vocabulary. Written into tokenizer, config and generation_config.") with { Tasks = Tasks.Everything },
        Row("truncation_side", TextValue, H4, null, "Which end is cut away when a text is too long.") with { Choices = ["left", "right"] },
        Row("auto_insert_empty_system_msg", Flag, H4, null,
            "Put an empty system turn before conversations without one when the template knows the role. Left out: on under profile v0.3, else off.") with { Tasks = Tasks.Everything },
        Row("gradient_checkpointing", Flag, Hf, "false", "Recompute each layer's activations in the backward pass instead of keeping them: less memory, about a third more time.") with { Effect = KeyEffect.Course },
        Row("disable_dropout", Flag, Trl, "false", "Switch the model's own dropout off while training.")
            with { Defaults = [new("true", Tasks.Preference), new("false")] },
        Row("neftune_noise_alpha", Number, Hf, null, "Noise on embeddings while training (NEFTune): uniform in +-alpha / sqrt(tokens x width).")
            with { Range = NumberRange.From(0) },
    ];
}
