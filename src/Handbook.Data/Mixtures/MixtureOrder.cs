namespace Handbook.Data.Mixtures;

/// <summary>Which rows of which datasets make up training and evaluation, in order.</summary>
/// <param name="Train">Training rows.</param>
/// <param name="Test">Evaluation rows; empty when there are none.</param>
/// <param name="Notes">What was done differently from the original, or as faultily as there: for the log.</param>
public sealed record MixtureOrder(MixtureRow[] Train, MixtureRow[] Test, IReadOnlyList<string> Notes);
