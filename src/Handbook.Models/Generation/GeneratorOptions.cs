namespace Handbook.Models.Generation;

/// <summary>Limits of generation.</summary>
public sealed record GeneratorOptions
{
    internal const long DefaultCacheBytes = 4L << 30;

    /// <summary>Most sequences that grow at the same time.</summary>
    public int MaxBatch { get; init; } = 32;

    /// <summary>
    /// Tokens whose keys and values are kept at the same time; null makes room for <see cref="MaxBatch"/> of the longest
    /// requests, up to 4 GiB. Never less than one request needs.
    /// </summary>
    public long? CacheTokens { get; init; }
}
