namespace Handbook.Data.Packing;

/// <summary>What becomes of a document longer than a row; the recipe's <c>truncation_mode</c>.</summary>
public enum OverlongPolicy
{
    /// <summary><c>keep_start</c>: the first <c>max_length</c> tokens stay.</summary>
    KeepStart,

    /// <summary><c>keep_end</c>: the last <c>max_length</c> tokens stay.</summary>
    KeepEnd,

    /// <summary><c>drop</c>: the document is left out.</summary>
    Drop,

    /// <summary><c>split</c>: it is cut into rows of <c>max_length</c> and a rest; nothing is lost.</summary>
    Split,
}
