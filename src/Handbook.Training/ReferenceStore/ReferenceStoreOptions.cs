using Handbook.Training.Loop;

namespace Handbook.Training.ReferenceStore;

/// <summary>What a store of reference log-probabilities covers and where it lies.</summary>
public sealed record ReferenceStoreOptions
{
    /// <summary>All that decides the numbers.</summary>
    public required ReferenceKey Key { get; init; }

    /// <summary>The rows of training, and of evaluation where there are any; the store has their labels, in this order.</summary>
    public required IReadOnlyList<TrainingRows> Sets { get; init; }

    /// <summary>Where stores are kept; null: <c>HANDBOOK_CACHE</c>, else <c>~/.cache/handbook</c>.</summary>
    public string? CacheFolder { get; init; }

    /// <summary>Rows of a file: what is lost at most when the computation is killed.</summary>
    public int RowsPerFile { get; init; } = 128;

    /// <summary>Tokens that are run through the model at once, a longer row excepted.</summary>
    public int TokensAtOnce { get; init; } = 4096;
}
