using System.Text.Json.Nodes;

namespace Handbook.Training.Options;

/// <summary>Which model is trained, and in which numbers it is held, computed and saved.</summary>
public sealed record ModelOptions
{
    /// <summary>Folder of the checkpoint (or a hub id); null when <see cref="Config"/> describes a new model.</summary>
    public string? NameOrPath { get; init; }

    /// <summary>
    /// A new model with random weights: the content of its <c>config.json</c> (<c>model_type</c>, <c>hidden_size</c>, ...).
    /// <c>vocab_size</c> may be absent: it is then the tokenizer's. Null loads <see cref="NameOrPath"/>.
    /// </summary>
    public JsonObject? Config { get; init; }

    /// <summary>
    /// Where the run computes: <c>auto</c> (a GPU that can be used, else the host), <c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>.
    /// </summary>
    public string Device { get; init; } = "auto";

    /// <summary>The numbers of compute, master weights and optimizer.</summary>
    public Precision Precision { get; init; } = Precision.Bfloat16Mixed;

    /// <summary>True when the recipe left <see cref="Precision"/> to the machine, which has chosen since.</summary>
    public bool IsMachinesPrecision { get; init; }

    /// <summary>The numbers of the saved weights.</summary>
    public SavedDtype SavedDtype { get; init; } = SavedDtype.Auto;

    /// <summary>Recompute each layer's activations in the backward pass instead of keeping them.</summary>
    public bool Recompute { get; init; }

    /// <summary>Switch the checkpoint's own dropout off while training (the preference objectives' default).</summary>
    public bool DisableDropout { get; init; }

    /// <summary>
    /// Noise added to embeddings while training, alpha of NEFTune (arXiv:2310.05914): uniform in +-alpha / sqrt(tokens x width).
    /// Null or 0: none.
    /// </summary>
    public double? NeftuneNoiseAlpha { get; init; }
}

/// <summary>In which numbers weights are kept and products computed.</summary>
public enum Precision
{
    /// <summary>bf16 products, fp32 master weights and optimizer state.</summary>
    Bfloat16Mixed,

    /// <summary>fp32 throughout.</summary>
    Float32,

    /// <summary>bf16 throughout; updates are rounded stochastically so that small ones are not lost.</summary>
    Bfloat16,

    /// <summary>fp16 products with loss scaling, fp32 master weights.</summary>
    Float16Mixed,

    /// <summary>
    /// The machine's choice: <see cref="Bfloat16Mixed"/> where it multiplies bf16 faster than float32, else <see cref="Float32"/>.
    /// </summary>
    Auto,
}

/// <summary>The dtype of weights on disk.</summary>
public enum SavedDtype
{
    /// <summary>As the checkpoint that was loaded; bfloat16 for a new model trained in bf16.</summary>
    Auto,

    /// <summary>float32.</summary>
    Float32,

    /// <summary>bfloat16.</summary>
    Bfloat16,

    /// <summary>float16.</summary>
    Float16,
}

/// <summary>Which tokenizer and chat template.</summary>
public sealed record TokenizerOptions
{
    /// <summary>Folder (or hub id) of another tokenizer; null takes the model's.</summary>
    public string? NameOrPath { get; init; }

    /// <summary>A Jinja template in place of the tokenizer's own; saved with the model.</summary>
    public string? ChatTemplate { get; init; }

    /// <summary>The token that ends a turn, in training and in the saved files; null keeps the tokenizer's.</summary>
    public string? EosToken { get; init; }

    /// <summary>
    /// Put an empty system turn before conversations without one when the template knows the role; null leaves it to the profile.
    /// </summary>
    public bool? AutoInsertEmptySystemMessage { get; init; }
}
