using Handbook.Data.Cleaning;
using Handbook.Data.Mixtures;
using Handbook.Data.Preparation;
using Handbook.Data.Sources;

namespace Handbook.Training.Options;

/// <summary>One dataset of a run.</summary>
/// <param name="Name">A file, a folder, or a dataset id.</param>
/// <param name="Config">The configuration of a dataset that has several; null for the only or default one.</param>
/// <param name="Split">The split, slices included (<c>train[:10%]</c>).</param>
/// <param name="Columns">The columns to keep; null keeps all.</param>
/// <param name="Weight">The share of its rows to take, 1.0 for all.</param>
public sealed record DatasetSource(string Name, string? Config, string Split, IReadOnlyList<string>? Columns, double Weight);

/// <summary>What to do with a row that cannot be read or used.</summary>
public enum BadRowPolicy
{
    /// <summary>Stop, naming file, row and column.</summary>
    Error,

    /// <summary>Leave it out and say at the end how many there were.</summary>
    Skip,
}

/// <summary>A number of rows, or a share of all rows.</summary>
/// <param name="Value">Rows when <paramref name="IsFraction"/> is false, else a share in (0, 1).</param>
/// <param name="IsFraction">Whether <paramref name="Value"/> is a share.</param>
public readonly record struct RowCount(double Value, bool IsFraction);

/// <summary>Which examples a run sees.</summary>
public sealed record DataOptions
{
    /// <summary>Which rules of mixing apply.</summary>
    public MixtureForm Form { get; init; } = MixtureForm.Single;

    /// <summary>Training sources in recipe order; under <see cref="MixtureForm.Mixer"/> all splits, test ones included.</summary>
    public required IReadOnlyList<DatasetSource> Sources { get; init; }

    /// <summary>The evaluation split of a single dataset; null when there is none.</summary>
    public DatasetSource? TestSource { get; init; }

    /// <summary>Seed of a mixture's shuffles and split.</summary>
    public int MixtureSeed { get; init; }

    /// <summary>When taking rows of a mixture's datasets by turns ends; null shuffles them together.</summary>
    public StoppingStrategy? Interleave { get; init; }

    /// <summary>With which probability a row comes from which dataset of an interleaved mixture; null takes one of each in turn.</summary>
    public IReadOnlyList<double>? Probabilities { get; init; }

    /// <summary>What a mixture sets aside for evaluation; null sets nothing aside.</summary>
    public RowCount? TestSplitSize { get; init; }

    /// <summary>Seed of the order in which rows are visited; null takes the run's seed.</summary>
    public int? OrderSeed { get; init; }

    /// <summary>Visit rows in file order.</summary>
    public bool DisableShuffle { get; init; }

    /// <summary>Read rows as they are needed instead of holding them.</summary>
    public bool Streaming { get; init; }

    /// <summary>The most threads that prepare data; null takes all. Order never depends on it.</summary>
    public int? PreparationThreads { get; init; }

    /// <summary>The column of plain text.</summary>
    public string TextColumn { get; init; } = "text";

    /// <summary>Whether plain text gets the tokenizer's special tokens (BOS); null leaves it to the profile.</summary>
    public bool? AddSpecialTokens { get; init; }

    /// <summary>Whether an EOS stands between packed texts; null leaves it to the profile.</summary>
    public bool? AppendConcatToken { get; init; }

    /// <summary>Rows already hold <c>input_ids</c>.</summary>
    public bool SkipPreparation { get; init; }

    /// <summary>The most training rows; null takes all.</summary>
    public int? MaxTrainSamples { get; init; }

    /// <summary>The most evaluation rows; null takes all.</summary>
    public int? MaxEvalSamples { get; init; }

    /// <summary>New names of columns, by their names in the files; null renames none.</summary>
    public IReadOnlyDictionary<string, string>? RenameColumns { get; init; }

    /// <summary>What one row of a plain text file is; null leaves it to the profile.</summary>
    public TextUnit? TextUnit { get; init; }

    /// <summary>What is removed before examples become tokens.</summary>
    public CleaningOptions Cleaning { get; init; } = new();

    /// <summary>What to do with a bad row.</summary>
    public BadRowPolicy OnBadRow { get; init; } = BadRowPolicy.Error;
}
