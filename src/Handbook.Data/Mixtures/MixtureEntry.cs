namespace Handbook.Data.Mixtures;

/// <summary>One dataset split of a mixture, as far as the order of rows depends on it.</summary>
/// <param name="Name">What to call it in messages.</param>
/// <param name="Split">Split name, which tells training from test rows.</param>
/// <param name="Length">Number of its rows.</param>
/// <param name="Weight">Share of its rows to take; null takes all and leaves them unshuffled.</param>
public sealed record MixtureEntry(string Name, string Split, int Length, double? Weight = 1.0)
{
    /// <summary>True for a split that its authors meant for testing.</summary>
    public bool IsTest =>
        Split.Contains("test", StringComparison.OrdinalIgnoreCase) && !Split.Contains("train", StringComparison.OrdinalIgnoreCase);
}
