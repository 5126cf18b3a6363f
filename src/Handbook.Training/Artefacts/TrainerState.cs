using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Handbook.Training.Artefacts;

/// <summary>
/// What transformers keeps in <c>trainer_state.json</c>, with its field names and layout, so that its tools read our runs and we
/// resume from what they know.
/// </summary>
public sealed record TrainerState
{
    /// <summary>The file's name in an output folder and in every checkpoint.</summary>
    public const string FileName = "trainer_state.json";

    /// <summary>Optimizer step of the best metric; null when none is tracked.</summary>
    public int? BestGlobalStep { get; init; }
    /// <summary>The best value of the tracked metric.</summary>
    public double? BestMetric { get; init; }
    /// <summary>Folder of the checkpoint with the best metric.</summary>
    public string? BestModelCheckpoint { get; init; }
    /// <summary>Epochs done, with fraction.</summary>
    public double? Epoch { get; init; }
    /// <summary>Steps between evaluations.</summary>
    public double EvalSteps { get; init; } = 500;
    /// <summary>Optimizer steps done.</summary>
    public int GlobalStep { get; init; }
    /// <summary>Every row logged so far.</summary>
    public ImmutableArray<MetricsRow> LogHistory { get; init; } = [];
    /// <summary>Steps between rows.</summary>
    public double LoggingSteps { get; init; } = 500;
    /// <summary>Optimizer steps of the whole run.</summary>
    public int MaxSteps { get; init; }
    /// <summary>Input tokens seen; transformers counts them only on request, else 0.</summary>
    public long NumInputTokensSeen { get; init; }
    /// <summary>Epochs of the whole run, rounded up.</summary>
    public int NumTrainEpochs { get; init; }
    /// <summary>Steps between checkpoints.</summary>
    public double SaveSteps { get; init; } = 500;
    /// <summary>Floating-point operations so far.</summary>
    public double TotalFlops { get; init; }
    /// <summary>Examples in a micro-batch of one device.</summary>
    public int? TrainBatchSize { get; init; }
    /// <summary>The run is over: no further step follows.</summary>
    public bool ShouldTrainingStop { get; init; }

    /// <summary>Writes the file, whole or not at all.</summary>
    public void Save(string path) => AtomicFile.WriteText(path, PythonJson.Write(ToJson(), indent: 2, sortKeys: true));

    /// <summary>Reads the file.</summary>
    /// <exception cref="UserErrorException">It is missing or not what transformers writes.</exception>
    public static TrainerState Load(string path)
    {
        try
        {
            return FromJson(PythonJson.Read(OrdinaryFile.ReadText(path, OrdinaryFile.TableLimit)) as JsonObject
                ?? throw new JsonException("it is not a JSON object"));
        }
        catch (Exception error) when (BrokenJson.Caused(error))
        {
            throw new UserErrorException($"{path}: expected the state of a training run: {BrokenJson.Explain(error)}.", error);
        }
    }

    private JsonObject ToJson() => new()
    {
        ["best_global_step"] = BestGlobalStep,
        ["best_metric"] = BestMetric,
        ["best_model_checkpoint"] = BestModelCheckpoint,
        ["epoch"] = Epoch,
        ["eval_steps"] = Steps(EvalSteps),
        ["global_step"] = GlobalStep,
        ["is_hyper_param_search"] = false,
        ["is_local_process_zero"] = true,
        ["is_world_process_zero"] = true,
        ["log_history"] = new JsonArray([.. LogHistory.Select(row => row.ToJson())]),
        ["logging_steps"] = Steps(LoggingSteps),
        ["max_steps"] = MaxSteps,
        ["num_input_tokens_seen"] = NumInputTokensSeen,
        ["num_train_epochs"] = NumTrainEpochs,
        ["save_steps"] = Steps(SaveSteps),
        ["stateful_callbacks"] = StatefulCallbacks(),
        ["total_flos"] = TotalFlops,
        ["train_batch_size"] = TrainBatchSize,
        ["trial_name"] = null,
        ["trial_params"] = null,
    };

    private JsonObject StatefulCallbacks() => new()
    {
        ["TrainerControl"] = new JsonObject
        {
            ["args"] = new JsonObject
            {
                ["should_epoch_stop"] = false,
                ["should_evaluate"] = false,
                ["should_log"] = false,
                ["should_save"] = true,
                ["should_training_stop"] = ShouldTrainingStop,
            },
            ["attributes"] = new JsonObject(),
        },
    };

    private static TrainerState FromJson(JsonObject root) => new()
    {
        BestGlobalStep = (int?)Number(root, "best_global_step"),
        BestMetric = Number(root, "best_metric"),
        BestModelCheckpoint = (string?)root["best_model_checkpoint"],
        Epoch = Number(root, "epoch"),
        EvalSteps = Number(root, "eval_steps") ?? 500,
        GlobalStep = (int)(Number(root, "global_step") ?? throw new FormatException("global_step is missing")),
        LogHistory = [.. (root["log_history"] as JsonArray ?? []).OfType<JsonObject>().Select(MetricsRow.FromJson)],
        LoggingSteps = Number(root, "logging_steps") ?? 500,
        MaxSteps = (int)(Number(root, "max_steps") ?? 0),
        NumInputTokensSeen = (long)(Number(root, "num_input_tokens_seen") ?? 0),
        NumTrainEpochs = (int)(Number(root, "num_train_epochs") ?? 0),
        SaveSteps = Number(root, "save_steps") ?? 500,
        TotalFlops = Number(root, "total_flos") ?? 0,
        TrainBatchSize = (int?)Number(root, "train_batch_size"),
        ShouldTrainingStop = root["stateful_callbacks"]?["TrainerControl"]?["args"]?["should_training_stop"]?.GetValueKind(
            ) == JsonValueKind.True,
    };

    private static double? Number(JsonObject root, string name) => root[name]?.GetValueKind() switch
    {
        null => null,
        JsonValueKind.Number => root[name]!.GetValue<double>(),
        _ => throw new FormatException($"{name} is not a number"),
    };

    // Steps are whole numbers in the file unless a recipe gave a fraction of the run.
    private static JsonValue Steps(double value) =>
        value == Math.Floor(value) ? JsonValue.Create((long)value) : JsonValue.Create(value);
}
