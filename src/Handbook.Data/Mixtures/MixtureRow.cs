namespace Handbook.Data.Mixtures;

/// <summary>A row of one of the datasets of a mixture.</summary>
/// <param name="Source">Number of the dataset.</param>
/// <param name="Row">Row within it.</param>
public readonly record struct MixtureRow(int Source, int Row);
