using System.Runtime.InteropServices;
using Handbook.Data.Packing;
using Handbook.Data.Store;
using Microsoft.Win32.SafeHandles;

namespace Handbook.Data.Preparation;

/// <summary>Packs a set's documents into rows, writes the rows and counts what is in them.</summary>
internal sealed class RowPacking(TokenStoreWriter writer, string folder, StoreKind kind, Func<int, string> placeOf)
{
    private const int KeptExamples = 10;
    private int[] buffer = [];

    /// <summary>Packs documents in the given order.</summary>
    /// <param name="name">The file of rows.</param>
    /// <param name="set">The set's documents, and how many examples of it had nothing left to be one.</param>
    /// <param name="options">How to pack.</param>
    public SetSummary Pack(string name, (int[] Documents, int Emptied) set, PackingOptions options)
    {
        var documents = set.Documents;
        // Completions to one prompt stand or fall together: pairs and verdicts are rows of their own, cut by the encoder alone.
        var packing = kind == StoreKind.Sequences
            ? options : options with { Strategy = PackingStrategy.None, Overlong = OverlongPolicy.KeepStart, MaxLength = int.MaxValue };
        var lengths = Array.ConvertAll(documents, document => writer.Lengths[document]);
        var characters = packing.Strategy == PackingStrategy.Legacy
            ? Array.ConvertAll(documents, document => writer.Characters[document]) : [];
        var plan = Packer.Plan(lengths, packing, characters);
        plan.Renumber(documents);
        writer.WritePlan(name, plan);
        var summary = Summarize(plan, documents, options);
        // What the encoder leaves out of pairs and verdicts told to drop the long ones is that.
        return kind != StoreKind.Sequences && options.Overlong == OverlongPolicy.Drop
            ? summary with { Dropped = set.Emptied }
            : summary with { Emptied = set.Emptied };
    }

    private SetSummary Summarize(PackingPlan plan, int[] documents, PackingOptions options)
    {
        using var tokens = File.OpenHandle(Path.Combine(folder, TokenStoreWriter.TokensFile), FileMode.Open,
            FileAccess.Read, FileShare.ReadWrite);
        var starts = new long[writer.Count + 1];
        for (var i = 0; i < writer.Count; i++)
            starts[i + 1] = starts[i] + writer.Lengths[i];
        var labels = new int[writer.Count];
        var stands = new bool[writer.Count];
        var (total, rowsWithoutLabel) = (0L, 0);
        for (var row = 0; row < plan.RowCount; row++)
        {
            var (isFirst, before) = (true, total);
            foreach (var piece in plan.Row(row))
            {
                var count = Labels(tokens, starts, piece, countFirst: !isFirst && !options.Isolated && kind == StoreKind.Sequences);
                isFirst = false;
                total += count;
                labels[piece.Document] += count;
                stands[piece.Document] = true;
            }
            rowsWithoutLabel += total == before ? 1 : 0;
        }
        var without = documents.Where(document => stands[document] && labels[document] == 0).ToList();
        return new SetSummary
        {
            RowCount = plan.RowCount,
            ExampleCount = stands.Count(stand => stand),
            TokenCount = plan.TokenCount,
            LossTokenCount = total,
            MaxLength = options.MaxLength,
            Isolated = options.Isolated,
            Truncated = plan.Counts.Truncated + documents.Count(document => writer.LostTokens[document] > 0),
            Dropped = plan.Counts.Dropped,
            Split = plan.Counts.Split,
            LostTokens = plan.Counts.LostTokens + documents.Sum(document => (long)writer.LostTokens[document]),
            RowsWithoutLabel = rowsWithoutLabel,
            WithoutLabel = without.Count,
            WithoutLabelExamples = [.. without.Take(KeptExamples).Select(placeOf)],
        };
    }

    /// <summary>Labels of a piece; its first token is one only when something comes before it in its sequence.</summary>
    private int Labels(SafeFileHandle tokens, long[] starts, Piece piece, bool countFirst)
    {
        var length = writer.Lengths[piece.Document];
        if (!countFirst && piece.Start == 0 && piece.Length == length)
            return writer.LabelCounts[piece.Document];
        if (!countFirst && writer.LabelCounts[piece.Document] == length - 1)
            return piece.Length - 1;
        // Read, not mapped: mapped pages would count as memory in use.
        if (buffer.Length < piece.Length)
            buffer = new int[piece.Length];
        var values = buffer.AsSpan(0, piece.Length);
        RandomAccess.Read(tokens, MemoryMarshal.AsBytes(values), sizeof(int) * (starts[piece.Document] + piece.Start));
        var count = 0;
        foreach (var token in countFirst ? values : values[1..])
            count += token >= 0 ? 1 : 0;
        return count;
    }
}
