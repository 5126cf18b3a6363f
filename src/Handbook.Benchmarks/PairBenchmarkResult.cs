using Handbook.Autograd;

namespace Handbook.Benchmarks;

/// <summary>A way of running pairs.</summary>
public enum PairVariant
{
    /// <summary>Chosen and rejected padded to the longest, log-probabilities at all positions.</summary>
    Padded,

    /// <summary>Chosen and rejected one after the other, nothing padded, the prompt twice.</summary>
    Packed,

    /// <summary>The prompt once, both completions attending to it.</summary>
    Shared,
}

/// <summary>One micro-batch, run in every way.</summary>
/// <param name="Pairs">Its pairs.</param>
/// <param name="Tokens">Places computed, by variant.</param>
/// <param name="Seconds">Forward and backward, by variant: the mean of two runs.</param>
/// <param name="ProcessorSeconds">Time that processors worked for this process meanwhile, by variant: the mean too.</param>
/// <param name="LiveReferenceSeconds">The reference model's forward pass over the shared rows.</param>
/// <param name="StoredReferenceSeconds">Looking the same up in the store.</param>
public sealed record PairBatchTimes(
    int Pairs, IReadOnlyList<int> Tokens, IReadOnlyList<double> Seconds, IReadOnlyList<double> ProcessorSeconds,
    double LiveReferenceSeconds, double StoredReferenceSeconds);

/// <summary>What was measured.</summary>
public sealed record PairBenchmarkResult
{
    /// <summary>The micro-batches.</summary>
    public required IReadOnlyList<PairBatchTimes> Batches { get; init; }

    /// <summary>Places of all micro-batches of the file's epoch, by variant.</summary>
    public required IReadOnlyList<long> FileTokens { get; init; }

    /// <summary>Where the tokenizer came from.</summary>
    public required string Tokenizer { get; init; }

    /// <summary>Gradient norm, clipping and AdamW over all weights: once an optimizer step, however many micro-batches it has.</summary>
    public required double OptimizerSeconds { get; init; }

    /// <summary>Computing the sample's reference log-probabilities into the store.</summary>
    public required double StoreSeconds { get; init; }

    /// <summary>
    /// The machine's matrix rate, floating-point operations a second, the better of before and after; 0 when it was not measured.
    /// </summary>
    public required double MatrixFlops { get; init; }

    /// <summary>Bytes of a second model's weights, which the store saves.</summary>
    public required long ModelBytes { get; init; }

    /// <summary>Time by operation over all micro-batches, by variant.</summary>
    public required IReadOnlyList<IReadOnlyList<OperationTime>> Operations { get; init; }

    /// <summary>Pairs of all micro-batches.</summary>
    public int PairCount => Batches.Sum(batch => batch.Pairs);

    /// <summary>Seconds of all micro-batches in one way.</summary>
    public double Seconds(PairVariant variant) => Batches.Sum(batch => batch.Seconds[(int)variant]);

    /// <summary>Places that all micro-batches compute in one way.</summary>
    public long Tokens(PairVariant variant) => Batches.Sum(batch => (long)batch.Tokens[(int)variant]);

    /// <summary>Pairs a second, forward and backward.</summary>
    public double PairsPerSecond(PairVariant variant) => PairCount / Seconds(variant);

    /// <summary>Pairs a second with shared prompts when the reference is run beside the policy.</summary>
    public double PairsPerSecondWithLiveReference =>
        PairCount / (Seconds(PairVariant.Shared) + Batches.Sum(batch => batch.LiveReferenceSeconds));

    /// <summary>Times as fast as another way, over all micro-batches together.</summary>
    public double Speedup(PairVariant variant, PairVariant over) => Seconds(over) / Seconds(variant);

    /// <summary>
    /// The same in processor time, which other processes on the machine lengthen less. It means something with one thread only: two
    /// wait for each other at work.
    /// </summary>
    public double ProcessorSpeedup(PairVariant variant, PairVariant over) =>
        Batches.Sum(batch => batch.ProcessorSeconds[(int)over]) / Batches.Sum(batch => batch.ProcessorSeconds[(int)variant]);

    /// <summary>
    /// The same where a machine's speed swings: each micro-batch ran in all ways within seconds, and the median of the shares that
    /// they reach of what their own places allow is held against what all places allow.
    /// </summary>
    public double MedianSpeedup(PairVariant variant, PairVariant over)
    {
        var shares = Batches
            .Select(batch => batch.Seconds[(int)over] / batch.Seconds[(int)variant] * batch.Tokens[(int)variant] / batch.Tokens[(int)over])
            .Order().ToList();
        return (shares[(shares.Count - 1) / 2] + shares[shares.Count / 2]) / 2 * Allowed(variant, over);
    }

    /// <summary>The speed-up that the number of places allows.</summary>
    public double Allowed(PairVariant variant, PairVariant over) => (double)Tokens(over) / Tokens(variant);

    /// <summary>The same over all micro-batches of the file's epoch.</summary>
    public double FileAllows(PairVariant variant, PairVariant over) => (double)FileTokens[(int)over] / FileTokens[(int)variant];
}
