using static Handbook.Recipes.Keys.KeyOrigin;

namespace Handbook.Recipes.Keys;

/// <summary>Keys that cannot be obeyed, each with what to do instead.</summary>
internal static class RefusedKeys
{
    private const string NoServer = "answers are generated in this process; there is no vLLM to talk to.";

    public static IReadOnlyList<RecipeKey> Rows { get; } =
    [
        Reject("max_source_length", H4, "was never read by any script; use max_length."),
        Reject("use_vllm", Trl, NoServer),
        Reject("vllm_server_host", Trl, NoServer),
        Reject("vllm_server_port", Trl, NoServer),
        Reject("hub_token", Hf, "a token does not belong into a file; set HF_TOKEN in the environment."),
        Reject("push_to_hub_token", Hf, "a token does not belong into a file; set HF_TOKEN in the environment."),
        Reject("deepspeed", Hf, "DeepSpeed is not used; give the stage with --accelerate_config to handbook launch."),
        Reject("fsdp", Hf, "FSDP is not used; give the sharding with --accelerate_config to handbook launch."),
        Reject("fsdp_config", Hf, "FSDP is not used; give the sharding with --accelerate_config to handbook launch."),
        Reject("generate_during_eval", Trl, "samples during evaluation are not generated; use handbook chat on a checkpoint."),
        Reject("label_smoothing_factor", Hf, "smoothing of token labels is not supported; for dpo use label_smoothing."),
        Reject("auto_find_batch_size", Hf, "the batch would depend on the machine; set per_device_train_batch_size."),
        Reject("optim_target_modules", Hf, "optimizers by module (GaLore, LOMO) are not supported."),
        Reject("optim_args", Hf, "optimizers have keys of their own (adam_beta1, weight_decay, ...)."),
        Reject("ref_adapter_name", Trl, "the reference of an adapter run is the model without the adapter."),
        Reject("model_adapter_name", Trl, "one adapter is trained at a time."),
        Reject("force_use_ref_model", Trl, "name the reference with ref_model."),
        Reject("formatting_func", Trl, "code cannot stand in a recipe; bring the data into columns."),
        Reject("dataset_text", H4, "did you mean dataset_text_field?"),
    ];

    private static RecipeKey Reject(string name, KeyOrigin origin, string hint) => new()
    {
        Name = name,
        Verb = KeyVerb.Reject,
        Kind = KeyKind.Anything,
        Origin = origin,
        IsNullable = true,
        Doc = "Refused: " + hint,
    };
}
