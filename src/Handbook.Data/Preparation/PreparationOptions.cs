using Handbook.Data.Cleaning;
using Handbook.Data.Mixtures;
using Handbook.Data.Packing;
using Handbook.Data.Sources;

namespace Handbook.Data.Preparation;

/// <summary>Which rules of mixing apply.</summary>
public enum MixtureForm
{
    /// <summary><c>dataset_name</c>: one dataset, its rows and splits as they are.</summary>
    Single,

    /// <summary><c>dataset_mixture</c>: shuffle, take a share, concatenate, shuffle, split.</summary>
    Mixture,

    /// <summary>
    /// <c>dataset_mixer</c> and <c>dataset_splits</c> of v0.3: the first share of each training split, test splits whole, shuffled
    /// with seed 42.
    /// </summary>
    Mixer,
}

/// <summary>One dataset split of a run.</summary>
/// <param name="Request">Name, configuration, split.</param>
/// <param name="Weight">Share of its rows; null takes all of them unshuffled.</param>
/// <param name="Columns">Columns to keep; null keeps all.</param>
public sealed record DatasetPart(DatasetRequest Request, double? Weight = 1.0, IReadOnlyList<string>? Columns = null);

/// <summary>All that decides what a run's prepared data is, the encoder excepted.</summary>
public sealed record PreparationOptions
{
    /// <summary>Which rules of mixing apply.</summary>
    public MixtureForm Form { get; init; } = MixtureForm.Single;

    /// <summary>
    /// The datasets in the recipe's order; under <see cref="MixtureForm.Mixer"/> every split of each, one after the other.
    /// </summary>
    public required IReadOnlyList<DatasetPart> Sources { get; init; }

    /// <summary>The evaluation split of <see cref="MixtureForm.Single"/>, if the dataset has it; null for none.</summary>
    public DatasetPart? Evaluation { get; init; }

    /// <summary>Seed of a mixture's shuffles and split.</summary>
    public long MixtureSeed { get; init; }

    /// <summary>How a mixture takes rows by turns; null shuffles them together.</summary>
    public InterleaveRule? Interleave { get; init; }

    /// <summary>What a mixture sets aside for evaluation.</summary>
    public SplitSize? TestSize { get; init; }

    /// <summary>Whose rules hold where eras differ.</summary>
    public Profile Profile { get; init; } = Profile.Best;

    /// <summary>How files become rows.</summary>
    public SourceOptions Files { get; init; } = new();

    /// <summary>The column of plain text.</summary>
    public string TextColumn { get; init; } = "text";

    /// <summary>True when the task wants plain text even where rows have more (continued pretraining).</summary>
    public bool PreferText { get; init; }

    /// <summary>How training examples become rows.</summary>
    public required PackingOptions Packing { get; init; }

    /// <summary>How evaluation examples become rows; null: as training's.</summary>
    public PackingOptions? EvaluationPacking { get; init; }

    /// <summary>What is removed before examples become tokens.</summary>
    public CleaningOptions Cleaning { get; init; } = new();

    /// <summary>
    /// Rows that training will see (<c>dataset_streaming</c>): reading ends as soon as there is enough for these, so that the
    /// data may be larger than the disk; null reads all.
    /// </summary>
    public long? StreamedRows { get; init; }

    /// <summary>Most training examples; null takes all.</summary>
    public int? MaxTrainExamples { get; init; }

    /// <summary>Most evaluation examples; null takes all.</summary>
    public int? MaxEvaluationExamples { get; init; }

    /// <summary>Leave bad rows out and count them, instead of stopping at the first.</summary>
    public bool SkipBadRows { get; init; }

    /// <summary>Threads that parse, render and tokenize; 0 for one a processor. The result never depends on it.</summary>
    public int Threads { get; init; }

    /// <summary>Where prepared data is kept; null: <c>HANDBOOK_CACHE</c>, else <c>~/.cache/handbook</c>.</summary>
    public string? CacheFolder { get; init; }
}
