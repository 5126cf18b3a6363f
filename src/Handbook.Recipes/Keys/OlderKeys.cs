using static Handbook.Recipes.Keys.KeyKind;
using static Handbook.Recipes.Keys.KeyOrigin;

namespace Handbook.Recipes.Keys;

/// <summary>Older names of present keys.</summary>
internal static class OlderKeys
{
    public static IReadOnlyList<RecipeKey> Rows { get; } =
    [
        Alias("use_flash_attention_2", Flag, H4, "attn_implementation")
            with { TargetValues = new Dictionary<string, string> { ["true"] = "flash_attention_2", ["false"] = "" } },
        Alias("max_seq_length", Integer, Trl, "max_length"),
        Alias("block_size", Integer, H4, "max_length") with { Tasks = TaskSet.Language },
        Alias("preprocessing_num_workers", Integer, H4, "dataset_num_proc"),
        Alias("evaluation_strategy", TextValue, Hf, "eval_strategy"),
        Alias("push_to_hub_model_id", TextValue, Hf, "hub_model_id"),
        Alias("push_to_hub_revision", Flag, H4, "push_to_hub"),
        Alias("lr_scheduler", TextValue, Hf, "lr_scheduler_type"),
        Alias("dtype", TextValue, Trl, "torch_dtype"),
        Alias("task_type", TextValue, Trl, "lora_task_type"),
    ];

    private static RecipeKey Alias(string name, KeyKind kind, KeyOrigin origin, string target) => new()
    {
        Name = name,
        Verb = KeyVerb.Alias,
        Kind = kind,
        Origin = origin,
        Target = target,
        IsNullable = true,
        Doc = $"The older name of {target}.",
    };
}
