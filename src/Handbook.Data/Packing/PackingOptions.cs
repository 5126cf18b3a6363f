namespace Handbook.Data.Packing;

/// <summary>The settings that decide rows.</summary>
public sealed record PackingOptions
{
    /// <summary>Most tokens of a row.</summary>
    public required int MaxLength { get; init; }

    /// <summary>How documents are put into rows.</summary>
    public PackingStrategy Strategy { get; init; } = PackingStrategy.BestFit;

    /// <summary>What becomes of documents longer than a row; the stream strategies never cut, so they ignore it.</summary>
    public OverlongPolicy Overlong { get; init; } = OverlongPolicy.KeepStart;

    /// <summary>
    /// True (our default): documents of a row never see each other, under every strategy. False: the row is one sequence,
    /// as the original's <c>wrapped</c> and <c>legacy</c> train it.
    /// </summary>
    public bool Isolated { get; init; } = true;

    /// <summary>Seed of the shuffles of <see cref="PackingStrategy.Legacy"/>.</summary>
    public long Seed { get; init; } = 42;
}
