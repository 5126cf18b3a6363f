using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>
/// Sizes of the head's blocks and the memory of one chunk of labels, which later chunks use again. Logits are held transposed,
/// [vocabulary, labels]: the softmax runs along rows, and the weight is a left operand as it lies in memory.
/// </summary>
internal sealed unsafe class HeadChunk<T> where T : unmanaged
{
    /// <summary>Labels whose logits are made at a time.</summary>
    internal const int Lanes = 64;

    /// <summary>Rows of the weight that share a maximum: their logits for <see cref="Lanes"/> labels fit the first-level cache.</summary>
    internal const int StatisticRows = 128;

    /// <summary>Groups of such rows in a block.</summary>
    internal const int Parts = 4;

    /// <summary>Rows of the weight that reach the hidden states' gradient in one product.</summary>
    internal const int BlockRows = Parts * StatisticRows;

    /// <summary>Matrix units take whole tiles of this many elements.</summary>
    internal const int TileRows = 32;

    private const long ExpLogitsBytes = 64 << 20;
    private const int MostLabels = 512;
    private const int MostStrips = 16;

    private readonly T* expLogits;
    private readonly List<Tensor> memory = [];

    internal HeadChunk(HeadCall call, bool keepsExpLogits)
    {
        (Vocabulary, Width) = ((int)call.Weight.Size(0), (int)call.Weight.Size(1));
        Blocks = (Vocabulary + BlockRows - 1) / BlockRows;
        Strips = Math.Min(MostStrips, Blocks);
        var paddedVocabulary = (long)Blocks * BlockRows;
        var fitting = (int)Math.Clamp(ExpLogitsBytes / (paddedVocabulary * sizeof(T)) / Lanes * Lanes, Lanes, MostLabels);
        // Chunks of one size, as nearly as blocks of labels allow.
        var chunks = (call.Labels.Length + fitting - 1) / fitting;
        Capacity = ((call.Labels.Length + chunks - 1) / chunks + Lanes - 1) / Lanes * Lanes;
        var dtype = call.Weight.DType;
        Rows = (T*)Take(dtype, Capacity, Width);
        HiddenColumns = (T*)Take(dtype, Capacity, Width);
        HiddenRight = (T*)Take(dtype, Capacity, Width);
        expLogits = keepsExpLogits ? (T*)Take(dtype, paddedVocabulary, Capacity) : null;
        Maxima = (float*)Take(DType.Float32, Parts * Blocks, Capacity);
        Totals = (float*)Take(DType.Float32, Parts * Blocks, Capacity);
        WeightedTotals = (float*)Take(DType.Float32, Parts * Blocks, Capacity);
        LogitSums = (float*)Take(DType.Float32, Parts * Blocks, Capacity);
        LabelLogits = (float*)Take(DType.Float32, Capacity);
        LogSumExp = (float*)Take(DType.Float32, Capacity);
        Factors = (float*)Take(DType.Float32, Capacity);
    }

    /// <summary>What the chunk lies in: it may be used as long as these tensors, or others on the same memory, live.</summary>
    internal IReadOnlyList<Tensor> Memory => memory;

    internal int Vocabulary { get; }

    internal int Width { get; }

    /// <summary>Blocks of the vocabulary.</summary>
    internal int Blocks { get; }

    /// <summary>
    /// Runs of blocks, each with its own sum of the hidden states' gradients: their number depends on nothing but the
    /// vocabulary, so that the sum has one order.
    /// </summary>
    internal int Strips { get; }

    /// <summary>Labels that a chunk may hold, a multiple of <see cref="Lanes"/>.</summary>
    internal int Capacity { get; }

    /// <summary>Index of the chunk's first label.</summary>
    internal int Start { get; private set; }

    /// <summary>Labels in the chunk.</summary>
    internal int Count { get; private set; }

    /// <summary>Blocks of <see cref="Lanes"/> labels in the chunk.</summary>
    internal int LaneBlocks => (Count + Lanes - 1) / Lanes;

    /// <summary>Labels with padding.</summary>
    internal int Padded => (Count + TileRows - 1) / TileRows * TileRows;

    /// <summary>Hidden states, one a label, [labels, width].</summary>
    internal T* Rows { get; }

    /// <summary>Right operands [width, 64 labels], one after the other.</summary>
    internal T* HiddenColumns { get; }

    /// <summary>Right operand [labels, width], rows shuffled.</summary>
    internal T* HiddenRight { get; }

    /// <summary>True when the exponentials of the logits are kept for the gradients.</summary>
    internal bool KeepsExpLogits => expLogits != null;

    /// <summary>[rows that share a maximum, labels], logits in base 2.</summary>
    internal float* Maxima { get; }

    /// <summary>Sums of the exponentials, same shape.</summary>
    internal float* Totals { get; }

    /// <summary>Sums of exponentials x their logits in base 2 less the maximum, same shape.</summary>
    internal float* WeightedTotals { get; }

    /// <summary>Sums of the logits before scaling, same shape.</summary>
    internal float* LogitSums { get; }

    /// <summary>[labels]: the label's logit in base 2.</summary>
    internal float* LabelLogits { get; }

    /// <summary>[labels], base 2.</summary>
    internal float* LogSumExp { get; }

    /// <summary>[labels]: what the gradient of each logp is multiplied with; 0 for padding.</summary>
    internal float* Factors { get; }

    /// <summary>2^(logit - maximum of the rows that share one) of one part of the vocabulary and 64 labels: a right operand.</summary>
    internal T* ExpLogits(int part, int laneBlock) => expLogits + ((long)part * (Capacity / Lanes) + laneBlock) * StatisticRows * Lanes;

    /// <summary>Labels of one block of <see cref="Lanes"/> with padding: the last may be narrower.</summary>
    internal int LaneCount(int laneBlock) => Math.Min(Lanes, Padded - laneBlock * Lanes);

    internal void MoveTo(int start, int labels) => (Start, Count) = (start, Math.Min(Capacity, labels - start));

    private void* Take(DType dtype, params ReadOnlySpan<long> shape)
    {
        var tensor = Tensor.Empty(shape, dtype);
        memory.Add(tensor);
        return tensor.Pointer;
    }
}
