using static Handbook.Recipes.Keys.KeyKind;
using static Handbook.Recipes.Keys.KeyOrigin;

namespace Handbook.Recipes.Keys;

/// <summary>Keys without an effect on this runtime. Each says why, so that nothing is ignored in silence.</summary>
internal static class AcceptedKeys
{
    private const string Threads = "rows are prepared and read by threads of this process.";
    private const string NoRevision = "models are folders on this machine, which have one revision.";
    private const string NoWandb = "nothing is sent to wandb.";
    private const string NoHub = "nothing is uploaded.";
    private const string Typed = "this runtime has no such switch, and the result is the same.";

    public static IReadOnlyList<RecipeKey> Rows { get; } =
    [
        Accept("model_revision", TextValue, H4, NoRevision),
        Accept("base_model_revision", TextValue, H4, NoRevision),
        Accept("attn_implementation", TextValue, H4,
            "the mathematics of eager, sdpa and flash_attention_2 is the same, and the fastest way of the device is taken."),
        Accept("tf32", Flag, Hf, "processors have no TF32; products are made in the numbers of precision."),
        Accept("use_liger_kernel", Flag, Hf, "head and loss are always one operation that never holds all logits."),
        Accept("padding_free", Flag, Trl, "rows are never padded, and documents in a row never see each other."),
        Accept("average_tokens_across_devices", Flag, Hf, "a run is one process, which averages over the label tokens of the whole batch."),
        Accept("ddp_timeout", Integer, Hf, "a run is one process, which waits for nobody."),
        Accept("wandb_entity", TextValue, H4, NoWandb),
        Accept("wandb_project", TextValue, H4, NoWandb),
        Accept("wandb_run_group", TextValue, H4, NoWandb),
        Accept("wandb_run_id", TextValue, H4, NoWandb),
        Accept("wandb_tags", TextList, H4, NoWandb),
        Accept("hub_model_revision", TextValue, H4, NoHub),
        Accept("hub_strategy", TextValue, Hf, NoHub),
        Accept("hub_private_repo", Flag, Hf, NoHub),
        Accept("model_code_revision", TextValue, H4, "no code from a model repository is ever run."),
        Accept("trust_remote_code", Flag, H4,
            "no code from a model repository is ever run; an architecture is supported or refused by its name."),
        Accept("precompute_ref_batch_size", Integer, Trl,
            "the store of reference log-probabilities runs as many rows at once as a fixed number of tokens allows."),
        Accept("use_liger_loss", Flag, Trl, "the fused head and loss are always used."),
        Accept("gradient_checkpointing_kwargs", Section, Hf, "recomputation gives the same numbers either way."),
        Accept("gradient_checkpointing_kwargs.use_reentrant", Flag, Hf, "recomputation gives the same numbers either way."),
        Accept("gradient_checkpointing_use_reentrant", Flag, Trl, "recomputation gives the same numbers either way."),
        Accept("bnb_4bit_quant_storage", TextValue, H4, "4-bit codes are always held as bytes."),
        Accept("remove_unused_columns", Flag, Hf, "columns that a task does not know are never read."),
        Accept("ddp_find_unused_parameters", Flag, Hf, "gradients are reduced as they appear."),
        Accept("ddp_backend", TextValue, Hf, "the transport is chosen by the devices."),
        Accept("ddp_bucket_cap_mb", Integer, Hf, "gradients are reduced as they appear."),
        Accept("ddp_broadcast_buffers", Flag, Hf, "models have no such buffers here."),
        Accept("ignore_bias_buffers", Flag, Trl, "models have no such buffers here."),
        Accept("dataloader_num_workers", Integer, Hf, Threads),
        Accept("dataloader_pin_memory", Flag, Hf, Threads),
        Accept("dataloader_persistent_workers", Flag, Hf, Threads),
        Accept("dataloader_prefetch_factor", Integer, Hf, Threads),
        Accept("dataset_batch_size", Integer, Trl, Threads),
        Accept("disable_tqdm", Flag, Hf, "progress is drawn only where a person watches."),
        Accept("log_level_replica", TextValue, Hf, "only the first rank speaks."),
        Accept("log_on_each_node", Flag, Hf, "only the first rank speaks."),
        Accept("save_safetensors", Flag, Hf, "weights are always safetensors."),
        Accept("save_on_each_node", Flag, Hf, "ranks write their own shards into one folder."),
        Accept("prediction_loss_only", Flag, Hf, "evaluation never keeps logits."),
        Accept("eval_accumulation_steps", Integer, Hf, "evaluation never keeps logits."),
        Accept("batch_eval_metrics", Flag, Hf, "evaluation never keeps logits."),
        Accept("eval_do_concat_batches", Flag, Hf, "evaluation never keeps logits."),
        Accept("full_determinism", Flag, Hf, "a run is reproducible anyway."),
        Accept("torch_empty_cache_steps", Integer, Hf, Typed),
        Accept("torch_compile", Flag, Hf, Typed),
        Accept("include_tokens_per_second", Flag, Hf, "tokens a second are always reported."),
        Accept("include_num_input_tokens_seen", Flag, Hf, "tokens seen are always reported."),
        Accept("logging_nan_inf_filter", Flag, Hf, "a loss that is not finite stops the run and names the step."),
        Accept("accelerator_config", Anything, Hf, Typed),
        Accept("use_cpu", Flag, Hf, "the device is chosen by what libtorch offers; hide GPUs with CUDA_VISIBLE_DEVICES."),
        Accept("no_cuda", Flag, Hf, "the device is chosen by what libtorch offers; hide GPUs with CUDA_VISIBLE_DEVICES."),
        Accept("tpu_num_cores", Integer, Hf, "TPUs are not used."),
        Accept("model_init_kwargs", Anything, Trl, "the model's settings have keys of their own."),
        Accept("use_logits_to_keep", Flag, Trl, "logits are computed only where a label is."),
        Accept("is_encoder_decoder", Flag, Trl, "only decoders are trained."),
        Accept("padding_value", Integer, Trl, "rows are never padded."),
        Accept("pad_to_multiple_of", Integer, Trl, "rows are never padded."),
        Accept("pad_token", TextValue, Trl, "rows are never padded."),
        Accept("label_pad_token_id", Integer, Trl, "rows are never padded."),
        Accept("label_names", TextList, Hf, "labels follow from the data's columns."),
        Accept("local_rank", Integer, Hf, "the rank comes from the launcher."),
    ];

    private static RecipeKey Accept(string name, KeyKind kind, KeyOrigin origin, string reason) => new()
    {
        Name = name,
        Verb = KeyVerb.Accept,
        Kind = kind,
        Origin = origin,
        IsNullable = true,
        Doc = "No effect here: " + reason,
    };
}
