namespace Handbook.Data.Store;

/// <summary>
/// A growing column of integers in blocks: growing copies nothing, so millions of documents cost no more than their numbers.
/// </summary>
internal sealed class IntColumn
{
    private const int BlockBits = 14;
    private const int BlockSize = 1 << BlockBits;
    private readonly List<int[]> blocks = [];

    /// <summary>Number of values.</summary>
    public int Count { get; private set; }

    /// <summary>A value.</summary>
    public int this[int index] => blocks[index >> BlockBits][index & (BlockSize - 1)];

    /// <summary>Adds a value.</summary>
    public void Add(int value)
    {
        if (Count >> BlockBits == blocks.Count)
            blocks.Add(new int[BlockSize]);
        blocks[Count >> BlockBits][Count & (BlockSize - 1)] = value;
        Count++;
    }
}
