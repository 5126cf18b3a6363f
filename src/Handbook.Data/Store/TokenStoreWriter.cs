using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Handbook.Data.Packing;

namespace Handbook.Data.Store;

/// <summary>
/// Writes a store's files into a folder of its own. A token that is no label is written as its complement, so ids and labels
/// are one file. The content hash runs over everything but the names of source files.
/// </summary>
internal sealed class TokenStoreWriter : IDisposable
{
    public const string TokensFile = "tokens.bin";
    public const string DocumentsFile = "documents.bin";
    private readonly string folder;
    private readonly FileStream tokens;
    private readonly FileStream documents;
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private int[] buffer = new int[1 << 14];

    public TokenStoreWriter(string folder)
    {
        this.folder = folder;
        Directory.CreateDirectory(folder);
        tokens = new FileStream(Path.Combine(folder, TokensFile), FileMode.CreateNew, FileAccess.Write, FileShare.Read, 1 << 20);
        documents = new FileStream(Path.Combine(folder, DocumentsFile), FileMode.CreateNew, FileAccess.Write, FileShare.Read, 1 << 16);
    }

    /// <summary>Documents written so far.</summary>
    public int Count => Lengths.Count;

    /// <summary>Tokens written so far.</summary>
    public long TokenCount { get; private set; }

    /// <summary>The largest token id, which the model must have an embedding for; -1 before there is one.</summary>
    public int LargestTokenId { get; private set; } = -1;

    /// <summary>The first document that holds it.</summary>
    public int LargestTokenIdDocument { get; private set; } = -1;

    /// <summary>Tokens of each document.</summary>
    public IntColumn Lengths { get; } = new();

    /// <summary>Code points of each document.</summary>
    public IntColumn Characters { get; } = new();

    /// <summary>Labels of each document.</summary>
    public IntColumn LabelCounts { get; } = new();

    /// <summary>Tokens that each document lost while it was encoded.</summary>
    public IntColumn LostTokens { get; } = new();

    /// <summary>Adds a document and returns its number.</summary>
    public int Add(EncodedExample example, int source, long row, int file, long number)
    {
        var record = new DocumentRecord
        {
            TokenStart = TokenCount,
            Part0 = example.Parts[0].Length,
            Part1 = example.Parts.Length > 1 ? example.Parts[1].Length : 0,
            Part2 = example.Parts.Length > 2 ? example.Parts[2].Length : 0,
            Characters = example.Characters,
            Desirable = example.Desirable ? 1 : 0,
            Margin = (float?)example.Margin ?? float.NaN,
            LostTokens = example.LostTokens,
            UnseenByChosen = example.UnseenByChosen,
            UnseenByRejected = example.UnseenByRejected,
            Source = source,
            Row = row,
        };
        if (buffer.Length < record.Length)
            buffer = new int[Math.Max(record.Length, 2 * buffer.Length)];
        record.LabelCount = Fill(example);
        Append(tokens, MemoryMarshal.AsBytes(buffer.AsSpan(0, record.Length)));
        hash.AppendData(MemoryMarshal.AsBytes(new ReadOnlySpan<DocumentRecord>(in record)));
        (record.File, record.Number) = (file, number);
        documents.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<DocumentRecord>(in record)));
        TokenCount += record.Length;
        Lengths.Add(record.Length);
        Characters.Add(record.Characters);
        LabelCounts.Add(record.LabelCount);
        LostTokens.Add(record.LostTokens);
        return Count - 1;
    }

    /// <summary>Writes the rows of a set.</summary>
    public void WritePlan(string name, PackingPlan plan)
    {
        using var file = new FileStream(Path.Combine(folder, name), FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16);
        Append(file, MemoryMarshal.AsBytes<int>([plan.RowCount, plan.Pieces.Length]));
        Append(file, MemoryMarshal.AsBytes(plan.RowStarts));
        Append(file, MemoryMarshal.AsBytes(plan.Pieces));
        file.Flush(flushToDisk: true);
    }

    /// <summary>Flushes tokens and documents to the disk; they can be read then.</summary>
    public void Flush()
    {
        tokens.Flush(flushToDisk: true);
        documents.Flush(flushToDisk: true);
    }

    /// <summary>The record of a document, read back; for a few of them, after <see cref="Flush"/>.</summary>
    public DocumentRecord Read(int document)
    {
        var record = new DocumentRecord[1];
        var bytes = MemoryMarshal.AsBytes(record.AsSpan());
        using var file = File.OpenHandle(Path.Combine(folder, DocumentsFile), FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        RandomAccess.Read(file, bytes, (long)document * bytes.Length);
        return record[0];
    }

    /// <summary>The content hash of all that was written, in hexadecimal.</summary>
    public string ContentHash() => Convert.ToHexStringLower(hash.GetHashAndReset());

    public void Dispose()
    {
        tokens.Dispose();
        documents.Dispose();
        hash.Dispose();
    }

    private int Fill(EncodedExample example)
    {
        var (place, labels) = (0, 0);
        for (var part = 0; part < example.Parts.Length; part++)
        {
            foreach (var id in example.Parts[part])
            {
                if (id > LargestTokenId)
                    (LargestTokenId, LargestTokenIdDocument) = (id, Count);
                var isLabel = example.LossMask is { } mask ? mask[place] : part > 0;
                labels += isLabel && place > 0 ? 1 : 0;
                buffer[place++] = isLabel ? id : ~id;
            }
        }
        return labels;
    }

    private void Append(FileStream file, ReadOnlySpan<byte> bytes)
    {
        file.Write(bytes);
        hash.AppendData(bytes);
    }
}
