namespace Handbook.Data.Packing;

/// <summary>What packing did to documents.</summary>
/// <param name="Truncated">Documents that lost tokens because they are longer than a row.</param>
/// <param name="Dropped">Documents left out because they are longer than a row.</param>
/// <param name="Split">Documents that stand in more than one piece.</param>
/// <param name="LostTokens">Tokens of documents that stand in no row.</param>
public sealed record PackingCounts(int Truncated, int Dropped, int Split, long LostTokens);
