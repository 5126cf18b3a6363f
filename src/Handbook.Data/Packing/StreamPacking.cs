using Handbook.Data.Random;

namespace Handbook.Data.Packing;

/// <summary>Packing by one stream of all tokens, cut at every row's length.</summary>
internal static class StreamPacking
{
    private const double LegacyCharactersPerToken = 3.6;
    private const int LegacySequencesPerBuffer = 1024;
    private const int LoggedExamples = 3;

    /// <summary>A stream for each <paramref name="batch"/> documents; its last row may be short.</summary>
    public static PackingPlan Wrapped(ReadOnlySpan<int> lengths, int maxLength, int batch)
    {
        var rows = new RowBuilder(maxLength);
        for (var start = 0; start < lengths.Length; start += batch)
        {
            for (var document = start; document < Math.Min(lengths.Length, start + batch); document++)
                rows.Append(document, lengths[document]);
            rows.CloseRow();
        }
        return rows.Finish();
    }

    /// <summary>
    /// ConstantLengthDataset: documents are taken until their characters reach <c>max_length * 3.6 * 1024</c>; their stream is
    /// cut into whole rows, the rest is thrown away, and the rows are shuffled with Python's generator.
    /// </summary>
    public static PackingPlan Legacy(ReadOnlySpan<int> lengths, ReadOnlySpan<int> characterLengths, PackingOptions options)
    {
        if (characterLengths.Length != lengths.Length)
            throw new ArgumentException("legacy packing needs the number of characters of every document", nameof(characterLengths));
        var budget = options.MaxLength * LegacyCharactersPerToken * LegacySequencesPerBuffer;
        var random = new PythonRandom(options.Seed);
        // The scripts log three examples before they pack, which moves the generator on.
        if (lengths.Length >= LoggedExamples)
            random.Sample(lengths.Length, LoggedExamples);
        var rows = new RowBuilder(options.MaxLength);
        for (var document = 0; document < lengths.Length;)
        {
            var firstRow = rows.Count;
            for (var characters = 0L; characters < budget && document < lengths.Length; document++)
            {
                characters += characterLengths[document];
                rows.Append(document, lengths[document]);
            }
            rows.DropOpenRow();
            rows.Shuffle(firstRow, random);
        }
        return rows.Finish();
    }

    private sealed class RowBuilder(int maxLength)
    {
        private readonly List<Piece[]> rows = [];
        private readonly List<Piece> open = [];
        private int openLength;
        private long lostTokens;
        private int split;

        public int Count => rows.Count;

        public void Append(int document, int length)
        {
            var start = 0;
            while (start < length)
            {
                var taken = Math.Min(length - start, maxLength - openLength);
                open.Add(new Piece(document, start, taken));
                openLength += taken;
                if (start == 0 && taken < length)
                    split++;
                start += taken;
                if (openLength == maxLength)
                    CloseRow();
            }
        }

        public void CloseRow()
        {
            if (openLength > 0)
                rows.Add([.. open]);
            open.Clear();
            openLength = 0;
        }

        public void DropOpenRow()
        {
            lostTokens += openLength;
            open.Clear();
            openLength = 0;
        }

        public void Shuffle(int firstRow, PythonRandom random) =>
            random.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(rows)[firstRow..]);

        public PackingPlan Finish()
        {
            var starts = new int[rows.Count + 1];
            for (var i = 0; i < rows.Count; i++)
                starts[i + 1] = starts[i] + rows[i].Length;
            return new PackingPlan([.. rows.SelectMany(row => row)], starts, new PackingCounts(0, 0, split, lostTokens));
        }
    }
}
