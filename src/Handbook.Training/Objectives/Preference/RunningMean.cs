using Handbook.Torch;

namespace Handbook.Training.Objectives.Preference;

/// <summary>The mean of every number seen so far: the reward that BCO shifts by (Jung et al. 2024, arXiv:2404.04656, eq. 11).</summary>
public sealed class RunningMean
{
    private const int MeanIndex = 0;
    private const int CountIndex = 1;
    private double[] state = new double[2];
    private Tensor? saved;

    /// <summary>The mean; 0 before the first number.</summary>
    public double Value => state[MeanIndex];

    /// <summary>Takes in more numbers.</summary>
    public void Add(ReadOnlySpan<double> values)
    {
        foreach (var value in values)
        {
            state[CountIndex]++;
            state[MeanIndex] += (value - state[MeanIndex]) / state[CountIndex];
        }
    }

    /// <summary>What the mean would be with more numbers.</summary>
    public double With(ReadOnlySpan<double> values)
    {
        var copy = new RunningMean { state = [.. state] };
        copy.Add(values);
        return copy.Value;
    }

    /// <summary>Mean and count, float64 [2], for a checkpoint; the same tensor each time.</summary>
    public Tensor Save()
    {
        saved ??= TensorScope.Detach(Tensor.From(state));
        using var current = Tensor.From(state);
        saved.CopyFrom(current);
        return saved;
    }

    /// <summary>Goes on from what <see cref="Save"/> gave.</summary>
    public void Load(Tensor saved) => state = saved.ToArray<double>();
}
