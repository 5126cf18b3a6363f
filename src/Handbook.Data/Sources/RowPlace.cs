namespace Handbook.Data.Sources;

/// <summary>Where a row stands: what every message about it begins with.</summary>
/// <param name="File">Path of the file as the recipe leads to it.</param>
/// <param name="Number">Line of the file (first line 1) or, where lines mean nothing, row (first row 1).</param>
/// <param name="IsLine">True when <paramref name="Number"/> counts lines.</param>
public readonly record struct RowPlace(string File, long Number, bool IsLine)
{
    /// <summary>"train.jsonl, line 12" or "train.parquet, row 12".</summary>
    public override string ToString() => FormattableString.Invariant($"{File}, {(IsLine ? "line" : "row")} {Number}");
}
