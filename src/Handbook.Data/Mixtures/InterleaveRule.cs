using System.Globalization;

namespace Handbook.Data.Mixtures;

/// <summary>How a mixture takes rows of its datasets by turns in place of shuffling them together.</summary>
/// <param name="Stop">When it ends.</param>
/// <param name="Probabilities">With which probability each row comes from which dataset; null takes one of each in turn.</param>
public sealed record InterleaveRule(StoppingStrategy Stop, IReadOnlyList<double>? Probabilities)
{
    /// <summary>The rows of all datasets in one order.</summary>
    /// <param name="datasets">The rows that each dataset gives, in its order.</param>
    /// <param name="seed">Seed of the draws.</param>
    /// <exception cref="UserErrorException">Probabilities that do not fit the datasets.</exception>
    public MixtureRow[] Order(IReadOnlyList<MixtureRow[]> datasets, long seed)
    {
        int[] lengths = [.. datasets.Select(rows => rows.Length)];
        if (Array.IndexOf(lengths, 0) is >= 0 and var empty)
            throw new UserErrorException($"dataset_mixture.interleave: dataset {empty + 1} gives no row");
        if (Probabilities is not null && (Probabilities.Count != lengths.Length || Math.Abs(Probabilities.Sum() - 1) > 1e-6))
            throw new UserErrorException(
                $"dataset_mixture.probabilities: expected {lengths.Length} numbers, one for each dataset, that add up to 1");
        var order = Probabilities is null ? Interleaving.Cycle(lengths, Stop) : Interleaving.Draw(lengths, [.. Probabilities], seed, Stop);
        return Array.ConvertAll(order, turn => datasets[turn.Source][turn.Row]);
    }

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Stop} {string.Join(' ', Probabilities?.Select(p => p.ToString("R", CultureInfo.InvariantCulture)) ?? [])}";
}
