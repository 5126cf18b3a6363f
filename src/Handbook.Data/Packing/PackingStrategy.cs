namespace Handbook.Data.Packing;

/// <summary>How documents are put into rows; the recipe's <c>packing_strategy</c>.</summary>
public enum PackingStrategy
{
    /// <summary><c>none</c>: one document a row.</summary>
    None,

    /// <summary><c>bfd</c>: best-fit decreasing over the whole data set; the default.</summary>
    BestFit,

    /// <summary><c>bfd_split</c>: the same; an example longer than a row is split over several instead of cut.</summary>
    BestFitSplit,

    /// <summary><c>ffd</c>: the same rule over each 1000 documents, as TRL 0.19 does inside <c>Dataset.map</c>.</summary>
    BestFitBy1000,

    /// <summary><c>wrapped</c>: all tokens in one stream, cut every <c>max_length</c>; the last row may be short.</summary>
    Wrapped,

    /// <summary>TRL 0.19's <c>wrapped</c>: a stream of its own for each 1000 documents.</summary>
    WrappedBy1000,

    /// <summary>
    /// <c>wrapped</c> of v0.3: TRL's ConstantLengthDataset of the handbook's v0.3: streams filled by a budget of characters, the last
    /// short row of each thrown away, the rows of each shuffled.
    /// </summary>
    Legacy,
}

/// <summary>What a person calls them.</summary>
public static class PackingStrategyWords
{
    /// <summary>What a way of packing does.</summary>
    public static string Words(this PackingStrategy strategy) => strategy switch
    {
        PackingStrategy.None => "not packed",
        PackingStrategy.BestFit or PackingStrategy.BestFitSplit => "best fit",
        PackingStrategy.BestFitBy1000 => "best fit, 1000 examples at a time",
        PackingStrategy.Wrapped => "wrapped",
        PackingStrategy.WrappedBy1000 => "wrapped, 1000 examples at a time",
        _ => "as in v0.3",
    };
}
