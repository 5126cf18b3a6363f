using System.Text.Json.Nodes;

namespace Handbook.Training.Options;

/// <summary>Everything one training run is told, grouped by concern. Made by Handbook.Recipes, read by the loop.</summary>
public sealed record RunOptions
{
    /// <summary>The method's name, which is the command's: <c>cpt</c>, <c>sft</c>, <c>dpo</c>, ...</summary>
    public required string Task { get; init; }

    /// <summary>Whose rules are followed where eras differ.</summary>
    public Profile Profile { get; init; } = Profile.Best;

    /// <summary>Which model.</summary>
    public required ModelOptions Model { get; init; }

    /// <summary>Which tokenizer and chat template.</summary>
    public TokenizerOptions Tokenizer { get; init; } = new();

    /// <summary>Which examples.</summary>
    public required DataOptions Data { get; init; }

    /// <summary>How examples become rows of tokens with labels.</summary>
    public SequenceOptions Sequences { get; init; } = new();

    /// <summary>How the weights move.</summary>
    public required OptimizationOptions Optimization { get; init; }

    /// <summary>When and on what is evaluated.</summary>
    public EvaluationOptions Evaluation { get; init; } = new();

    /// <summary>Where and when is saved.</summary>
    public required CheckpointOptions Checkpoints { get; init; }

    /// <summary>What is told, and to whom.</summary>
    public LoggingOptions Logging { get; init; } = new();

    /// <summary>Uploading.</summary>
    public HubOptions Hub { get; init; } = new();

    /// <summary>Preference losses (dpo, orpo, kto, reward).</summary>
    public PreferenceOptions Preference { get; init; } = new();

    /// <summary>Low-rank adapters; null trains all weights.</summary>
    public LoraOptions? Lora { get; init; }

    /// <summary>Loading the frozen weights in few bits; null loads them as they are.</summary>
    public QuantizationOptions? Quantization { get; init; }

    /// <summary>
    /// Seed of new weights, dropout and, unless <see cref="DataOptions.OrderSeed"/> says otherwise, the order of the data.
    /// </summary>
    public int Seed { get; init; } = 42;

    /// <summary>Environment variables of the recipe's <c>env:</c> block, set before anything starts.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>The recipe's keys that decide the result, with the values that hold: a run never goes on under others.</summary>
    public IReadOnlyDictionary<string, string> DecisiveKeys { get; init; } = new Dictionary<string, string>();

    /// <summary>The recipe's keys that name files and rows, with the values that hold: what they lead to decides, not the names.</summary>
    public IReadOnlyDictionary<string, string> SourceKeys { get; init; } = new Dictionary<string, string>();

    /// <summary>The recipe as read, every key under its present name with its value, for the model card and the run's report.</summary>
    public JsonObject Recipe { get; init; } = [];

    /// <summary>The recipe without its paths: the same when files and folders lie elsewhere.</summary>
    public JsonObject RecipeWithoutPaths
    {
        get
        {
            var settings = Recipe.DeepClone().AsObject();
            foreach (var name in SourceKeys.Keys.Select(key => key.Split('.')[0])
                .Concat(["output_dir", "logging_dir", "overwrite_output_dir", "resume_from_checkpoint", "run_name"]))
                settings.Remove(name);
            return settings;
        }
    }
}
