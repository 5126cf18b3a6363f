using Handbook.Data.Random;

namespace Handbook.Data.Mixtures;

/// <summary><c>interleave_datasets</c> of the datasets library, as an order of rows.</summary>
public static class Interleaving
{
    private const int DrawnAtOnce = 1000;

    /// <summary>Takes a row of each dataset in turn.</summary>
    public static MixtureRow[] Cycle(ReadOnlySpan<int> lengths, StoppingStrategy stop)
    {
        var order = new List<MixtureRow>();
        var rounds = 0;
        foreach (var length in lengths)
            rounds = rounds == 0 || (stop == StoppingStrategy.FirstExhausted ? length < rounds : length > rounds) ? length : rounds;
        for (var round = 0; round < rounds; round++)
        {
            for (var source = 0; source < lengths.Length; source++)
            {
                if (stop != StoppingStrategy.AllExhaustedWithoutReplacement || round < lengths[source])
                    order.Add(new MixtureRow(source, round % lengths[source]));
            }
        }
        return [.. order];
    }

    /// <summary>Draws the dataset of every row by probability.</summary>
    public static MixtureRow[] Draw(ReadOnlySpan<int> lengths, ReadOnlySpan<double> probabilities, long seed, StoppingStrategy stop)
    {
        var random = new NumpyGenerator(seed);
        var next = new int[lengths.Length];
        var exhausted = new bool[lengths.Length];
        var order = new List<MixtureRow>();
        while (true)
        {
            foreach (var source in random.Choice(probabilities, DrawnAtOnce))
            {
                if (stop == StoppingStrategy.FirstExhausted ? exhausted.Contains(true) : !exhausted.Contains(false))
                    return [.. order];
                if (stop == StoppingStrategy.AllExhaustedWithoutReplacement && exhausted[source])
                    continue;
                order.Add(new MixtureRow(source, next[source]));
                if (++next[source] == lengths[source])
                    (exhausted[source], next[source]) = (true, 0);
            }
        }
    }
}
