namespace Handbook.Data.Packing;

/// <summary>A run of tokens of one document that stands in a row.</summary>
/// <param name="Document">Index of the document.</param>
/// <param name="Start">First token within the document.</param>
/// <param name="Length">Number of tokens.</param>
public readonly record struct Piece(int Document, int Start, int Length);
