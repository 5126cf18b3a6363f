namespace Handbook.Data.Sources;

/// <summary>A dataset as a recipe names it.</summary>
/// <param name="Name">A file, a folder, or an id such as <c>org/name</c>.</param>
/// <param name="Config">The configuration of a dataset that has several; null for the only or default one.</param>
/// <param name="Split">A split expression, <c>train[:10%]</c>.</param>
/// <param name="Revision">Branch, tag or commit of an id; null takes the main branch.</param>
public sealed record DatasetRequest(string Name, string? Config = null, string Split = "train", string? Revision = null)
{
    /// <summary>The name with configuration and split, for messages.</summary>
    public override string ToString() => $"{Name}{(Config is null ? "" : $" ({Config})")}, split {Split}";
}
