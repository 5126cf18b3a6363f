using Handbook.Torch;
using Handbook.Training.Options;
using static Handbook.Recipes.Keys.KeyOrigin;
using static Handbook.Recipes.Keys.OptionParts;
using static Handbook.Recipes.Keys.RecipeKeyTable;
using static Handbook.Recipes.Keys.ValueForms;

namespace Handbook.Recipes.Keys;

/// <summary>Model, tokenizer and numbers.</summary>
internal static class ModelKeys
{
    /// <summary>Where the data's own key says nothing: cutting the left keeps the end.</summary>
    private static readonly ValueForm<TruncationMode?> Sides = OneOfOrNull(
        ("left", TruncationMode.KeepEnd), ("right", TruncationMode.KeepStart));

    private static readonly ValueForm<SavedDtype?> Dtypes = OneOfOrNull(
        ("auto", SavedDtype.Auto), ("bfloat16", SavedDtype.Bfloat16), ("float16", SavedDtype.Float16), ("float32", SavedDtype.Float32));

    private static readonly ValueForm<Precision> Precisions = OneOf(
        ("auto", Precision.Auto), ("bf16-mixed", Precision.Bfloat16Mixed), ("fp32", Precision.Float32), ("bf16", Precision.Bfloat16),
        ("fp16-mixed", Precision.Float16Mixed));

    // The numbers that precision, bf16, fp16 and torch_dtype come to are compared by themselves.
    public static IReadOnlyList<RecipeKey> Rows { get; } =
    [
        Row("model_name_or_path", TextOrNull, H4, null, "The model: a local folder first, then a hub id. A folder may hold an adapter.")
            .To(Model, (o, v) => o with { NameOrPath = v })
            .To(Policy, (o, v) => o with { ModelFolder = v })
            with { Tasks = TaskSet.Everything, Effect = KeyEffect.Source },
        Row("model_config", JsonOrNull, Ours, null,
            "A new model with random weights in place of model_name_or_path: the content of its config.json (model_type, hidden_size, "
            + "...). vocab_size may be left out: it is then the tokenizer's.")
            .To(Model, (o, v) => o with { Config = v }),
        Row("tokenizer_name_or_path", TextOrNull, H4, null, "Another tokenizer than the model's.")
            .To(Tokenizer, (o, v) => o with { NameOrPath = v })
            .To(PolicyTokenizer, (o, v) => o with { NameOrPath = v })
            with { Tasks = TaskSet.Everything, Effect = KeyEffect.Source },
        Row("device", Text, Ours, "auto",
            "Where the run computes: auto (a GPU that libtorch can use, else the host), "
            + "cpu, cuda or cuda:N. A GPU needs HANDBOOK_LIBTORCH, "
            + "the torch/lib of a PyTorch with CUDA or ROCm; no GPU has run this version yet.")
            .To(Model, (o, v) => o with { Device = v })
            .To(Policy, (o, v) => o with { Device = v })
            with { Tasks = TaskSet.Everything, Effect = KeyEffect.Course },
        Row("torch_dtype", Dtypes, H4, null,
            "Dtype of the weights on disk and, without bf16 or fp16, in training. auto takes the checkpoint's. Under bf16: true, master "
            + "weights are fp32 whatever is written here.")
            .To(Model, (o, v, values) => o with { SavedDtype = v ?? Unsaid(values.Profile) })
            .To(Policy, (o, _, values) => o with { DType = ComputedIn(values) })
            with { Tasks = TaskSet.Everything, Effect = KeyEffect.Course },
        Row("precision", Precisions, Ours, "auto",
            "bf16-mixed: bf16 products, fp32 master weights. fp32: fp32 throughout. bf16: bf16 throughout, updates rounded "
            + "stochastically. fp16-mixed: fp16 products with loss scaling. auto follows bf16, fp16 and torch_dtype; where none of them "
            + "is given, it is bf16-mixed on machines that multiply bf16 faster than fp32 (measured, see handbook doctor) and fp32 on "
            + "others.")
            .To(Model, (o, v, values) => o with { Precision = Numbers(v, values) })
            with { Effect = KeyEffect.Course },
        Row("bf16", FlagOrNull, Hf, "true",
            "bf16 products with fp32 master weights; true asks for them on machines that are no faster with them, too. false with "
            + "torch_dtype bfloat16 trains in bf16 throughout; false otherwise in fp32.")
            with { Defaults = [new("false", Profile: Profile.V03), new("true")], Effect = KeyEffect.Course },
        Row("fp16", Flag, Hf, "false", "fp16 products with loss scaling and fp32 master weights.") with { Effect = KeyEffect.Course },
        Row("chat_template", TextOrNull, H4, null, "A Jinja chat template in place of the tokenizer's own; saved with the model.")
            .To(Tokenizer, (o, v) => o with { ChatTemplate = v })
            .To(PolicyTokenizer, (o, v) => o with { ChatTemplate = v }) with { Tasks = TaskSet.Everything },
        Row("eos_token", TextOrNull, Trl, null,
            "The token that ends a turn; must be in the vocabulary. Written into tokenizer, config and generation_config.")
            .To(Tokenizer, (o, v) => o with { EosToken = v })
            .To(PolicyTokenizer, (o, v) => o with { EosToken = v }) with { Tasks = TaskSet.Everything },
        Row("truncation_side", Sides, H4, null, "Which end is cut away when a text is too long.")
            .To(Sequences, (o, v) => o with { Truncation = v }),
        Row("auto_insert_empty_system_msg", FlagOrNull, H4, null,
            "Put an empty system turn before conversations without one when the template knows the role. Left out: on under profile "
            + "v0.3, else off.")
            .To(Tokenizer, (o, v) => o with { AutoInsertEmptySystemMessage = v })
            .To(PolicyTokenizer, (o, v, values) => o with { AutoInsertEmptySystemMessage = v ?? values.Profile == Profile.V03 })
            with { Tasks = TaskSet.Everything },
        Row("gradient_checkpointing", Flag, Hf, "false",
            "Recompute each layer's activations in the backward pass instead of keeping them: less memory, about a third more time.")
            .To(Model, (o, v) => o with { Recompute = v }) with { Effect = KeyEffect.Course },
        Row("disable_dropout", Flag, Trl, "false", "Switch the model's own dropout off while training.")
            .To(Model, (o, v) => o with { DisableDropout = v })
            with { Defaults = [new("true", TaskSet.Preference), new("false")] },
        Row("neftune_noise_alpha", NumberOrNull, Hf, null,
            "Noise on embeddings while training (NEFTune): uniform in +-alpha / sqrt(tokens x width).")
            .To(Model, (o, v) => o with { NeftuneNoiseAlpha = v }) with { Range = NumberRange.From(0) },
    ];

    /// <summary>The type that models which only generate or score compute in; null for the stored one.</summary>
    internal static DType? ComputedIn(RecipeValues values) => Dtypes.Of(values.Value("torch_dtype")) switch
    {
        SavedDtype.Float32 => DType.Float32,
        SavedDtype.Bfloat16 => DType.BFloat16,
        _ => null,
    };

    // The original loads and saves fp32 when nothing is said, whatever the checkpoint holds.
    private static SavedDtype Unsaid(Profile profile) => profile == Profile.Best ? SavedDtype.Auto : SavedDtype.Float32;

    /// <summary>What <c>precision</c>, <c>bf16</c>, <c>fp16</c> and <c>torch_dtype</c> come to.</summary>
    private static Precision Numbers(Precision precision, RecipeValues values) => precision switch
    {
        not Precision.Auto => precision,
        _ when values.Flag("fp16") => Precision.Float16Mixed,
        // TRL since 0.18: bf16 unless something else is said; unsaid, it is the machine's choice.
        _ when values.FlagOrNull("bf16") is not { } bf16 || (bf16 && !values.Has("bf16")) => Precision.Auto,
        _ when values.Flag("bf16") => Precision.Bfloat16Mixed,
        _ => values.Text("torch_dtype") == "bfloat16" ? Precision.Bfloat16 : Precision.Float32,
    };
}
