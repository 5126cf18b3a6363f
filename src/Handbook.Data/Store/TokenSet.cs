using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Handbook.Data.Packing;
using Handbook.Data.Random;

namespace Handbook.Data.Store;

/// <summary>
/// The rows of training or of evaluation, by number. This is what a training loop reads: how many there are, each in
/// constant time, and the order of an epoch as a pure function of seed and epoch, so that a run resumes anywhere.
/// </summary>
public sealed class TokenSet
{
    private const int HeaderBytes = 2 * sizeof(int);
    private readonly TokenStore store;
    private readonly StoreFile rows;
    private readonly SetSummary summary;

    internal TokenSet(TokenStore store, StoreFile rows, SetSummary summary) =>
        (this.store, this.rows, this.summary) = (store, rows, summary);

    /// <summary>Number of rows; for pairs and verdicts the number of examples. Steps are counted from this.</summary>
    public int RowCount => summary.RowCount;

    /// <summary>Number of examples that stand in rows.</summary>
    public int ExampleCount => summary.ExampleCount;

    /// <summary>Tokens in all rows.</summary>
    public long TokenCount => summary.TokenCount;

    /// <summary>Tokens that are labels, in all rows.</summary>
    public long LossTokenCount => summary.LossTokenCount;

    /// <summary>Counts of the set, for reports.</summary>
    public SetSummary Summary => summary;

    /// <summary>
    /// A row as training computes it: a packed row of sequences, a pair with its shared prompt, or a judged completion.
    /// </summary>
    public TokenBatch Row(int row) => store.Kind switch
    {
        StoreKind.Pairs => Pair(row).ToSharedPrefix(),
        StoreKind.Verdicts => Verdict(row).ToSequence(),
        _ => Packed(row),
    };

    /// <summary>A row of a store of pairs.</summary>
    public PreferencePair Pair(int row)
    {
        var (ids, record, example) = Parts(row);
        return new PreferencePair(ids[..record.Part0], ids[record.Part0..(record.Part0 + record.Part1)],
            ids[(record.Part0 + record.Part1)..], example,
            float.IsNaN(record.Margin) ? null : record.Margin)
        {
            UnseenByChosen = record.UnseenByChosen,
            UnseenByRejected = record.UnseenByRejected,
        };
    }

    /// <summary>
    /// A row of a store of verdicts, with the completion of the row before it (of the last one for the first) as the other one.
    /// </summary>
    public UnpairedExample Verdict(int row)
    {
        var (ids, record, example) = Parts(row);
        var (otherIds, other, _) = Parts(row == 0 ? RowCount - 1 : row - 1);
        return new UnpairedExample(ids[..record.Part0], ids[record.Part0..], record.Desirable == 1, example, otherIds[other.Part0..]);
    }

    /// <summary>Completions of a set of verdicts that were liked.</summary>
    public int LikedCount()
    {
        var liked = 0;
        for (var row = 0; row < RowCount; row++)
            liked += store.Record(Pieces(row)[0].Document).Desirable;
        return liked;
    }

    /// <summary>Tokens of a row.</summary>
    public int RowLength(int row)
    {
        var length = 0;
        foreach (var piece in Pieces(row))
            length += piece.Length;
        return length;
    }

    /// <summary>The pieces of a row.</summary>
    public ReadOnlySpan<Piece> Pieces(int row)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)RowCount);
        var bounds = rows.Values<int>(HeaderBytes + (long)sizeof(int) * row, 2);
        var first = HeaderBytes + (long)sizeof(int) * (RowCount + 1);
        unsafe
        {
            return rows.Values<Piece>(first + (long)sizeof(Piece) * bounds[0], bounds[1] - bounds[0]);
        }
    }

    /// <summary>The order in which an epoch visits the rows, as Accelerate's sampler has it.</summary>
    public int[] EpochOrder(long seed, int epoch) => Random.EpochOrder.Seedable(seed, epoch, RowCount);

    /// <summary>The order of an epoch in batches of like length (<c>group_by_length</c>).</summary>
    public int[] EpochOrderByLength(long seed, int epoch, int batchSize)
    {
        var lengths = new int[RowCount];
        for (var row = 0; row < lengths.Length; row++)
            lengths[row] = RowLength(row);
        return Random.EpochOrder.GroupedByLength(lengths, batchSize, new TorchGenerator((ulong)(seed + epoch)));
    }

    /// <summary>
    /// Hash of this set's rows as they are trained on: tokens, labels, where examples end, verdicts and margins, in order. It does not
    /// know what else the store holds, nor how examples are numbered.
    /// </summary>
    public string ContentHash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var row = 0; row < RowCount; row++)
        {
            foreach (var piece in Pieces(row))
            {
                var record = store.Record(piece.Document);
                hash.AppendData(MemoryMarshal.AsBytes<int>([piece.Length, record.Part0, record.Part1, record.Part2, record.UnseenByChosen,
                    record.UnseenByRejected, record.Desirable, BitConverter.SingleToInt32Bits(record.Margin)]));
                hash.AppendData(MemoryMarshal.AsBytes(store.Marked(piece)));
            }
            hash.AppendData([0]);
        }
        hash.AppendData([summary.Isolated ? (byte)1 : (byte)2]);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    internal void Dispose() => rows.Dispose();

    private TokenBatch Packed(int row)
    {
        var pieces = Pieces(row);
        var length = RowLength(row);
        var (ids, mask) = (new int[length], new bool[length]);
        var examples = new long[pieces.Length];
        var lengths = new int[pieces.Length];
        var place = 0;
        for (var i = 0; i < pieces.Length; i++)
        {
            foreach (var token in store.Marked(pieces[i]))
            {
                mask[place] = token >= 0;
                ids[place++] = token >= 0 ? token : ~token;
            }
            examples[i] = pieces[i].Document;
            lengths[i] = pieces[i].Length;
        }
        return new TokenBatch(ids, mask, SequenceLayout.Documents(summary.Isolated ? lengths : [length]), examples);
    }

    private (int[] Ids, DocumentRecord Record, long Example) Parts(int row)
    {
        var piece = Pieces(row)[0];
        var ids = store.Marked(piece).ToArray();
        for (var i = 0; i < ids.Length; i++)
            ids[i] = ids[i] >= 0 ? ids[i] : ~ids[i];
        return (ids, store.Record(piece.Document), piece.Document);
    }
}
