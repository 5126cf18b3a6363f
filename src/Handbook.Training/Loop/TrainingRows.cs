using Handbook.Data.Packing;

namespace Handbook.Training.Loop;

/// <summary>Prepared rows, any of them at any time: a packed row of documents, a preference pair, an unpaired example.</summary>
/// <param name="Count">Number of rows.</param>
/// <param name="ExampleCount">Examples that stand in them.</param>
/// <param name="Read">The row with this index.</param>
/// <param name="Length">Tokens of the row with this index.</param>
public sealed record TrainingRows(int Count, long ExampleCount, Func<int, TokenBatch> Read, Func<int, int> Length)
{
    /// <summary>Some rows as one batch.</summary>
    public TokenBatch Batch(IReadOnlyList<int> rows) => TokenBatch.Concatenate([.. rows.Select(Read)]);

    /// <summary>Tokens of every row.</summary>
    public int[] Lengths() => [.. Enumerable.Range(0, Count).Select(Length)];
}
