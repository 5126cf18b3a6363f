using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using Handbook.Data.Packing;
using Handbook.Torch;
using Handbook.Training.Objectives;
using Handbook.Training.Objectives.Preference;
using Handbook.Training.Progress;

namespace Handbook.Training.ReferenceStore;

/// <summary>
/// Computes the files of a store that are missing. Which rows a file holds and which of them are computed together follows from
/// the rows alone: an interrupted computation ends with the same bytes as one that was not.
/// </summary>
internal sealed class ReferencePass
{
    private const string Title = "reference log-probabilities";
    private readonly ReferenceStoreOptions options;
    private readonly ITrainingProgress progress;
    private readonly TimeProvider clock;
    private readonly string folder;
    private readonly int rowCount;

    public ReferencePass(ReferenceStoreOptions options, ITrainingProgress progress, TimeProvider clock)
    {
        (this.options, this.progress, this.clock) = (options, progress, clock);
        folder = Path.Combine(CacheFolder.Root(options.CacheFolder), "reference", options.Key.Name);
        rowCount = options.Sets.Sum(set => set.Count);
    }

    private int FileCount => (rowCount + options.RowsPerFile - 1) / options.RowsPerFile;

    /// <summary>Opens the store when it is whole; completes it before when it is not.</summary>
    [SuppressMessage("Reliability", "CA2000", Justification = "The files go to the store, which disposes of them.")]
    public StoredReference Run(Func<ReferenceModel> load, CancellationToken stop)
    {
        CreateFolder();
        var chunks = new LogpsChunk?[FileCount];
        try
        {
            OpenFiles(chunks, _ => { });
            if (chunks.Contains(null))
            {
                using var held = FileLock.Take(
                    folder + ".lock", stop,
                    holder => progress.Note($"{holder} computes {Title} of the same model and data; waiting for it"));
                OpenFiles(chunks, fault => progress.Note($"{Title}: {fault}; computed again"));
                if (chunks.Contains(null))
                    Complete(chunks, load, stop);
            }
            return new StoredReference(folder, chunks!);
        }
        catch
        {
            foreach (var chunk in chunks)
                chunk?.Dispose();
            throw;
        }
    }

    private void OpenFiles(LogpsChunk?[] chunks, Action<string> faulty)
    {
        for (var i = 0; i < chunks.Length; i++)
        {
            if (chunks[i] is not null)
                continue;
            (chunks[i], var fault) = LogpsChunk.Open(FileOf(i));
            if (fault is not null)
                faulty(fault);
        }
    }

    private void Complete(LogpsChunk?[] chunks, Func<ReferenceModel> load, CancellationToken stop)
    {
        var missing = Enumerable.Range(0, chunks.Length).Where(i => chunks[i] is null).ToList();
        var total = missing.Sum(i => (long)RowsOf(i).Count());
        AtomicFile.WriteText(Path.Combine(folder, "store.json"),
            options.Key.ToJson().ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
        if (missing.Count < chunks.Length)
            progress.Note(string.Create(CultureInfo.InvariantCulture,
                $"{Title}: {chunks.Length - missing.Count} of "
                    + $"{Quantity.Of(chunks.Length, "file is", "files are")} there, going on with the rest"));
        var start = clock.GetTimestamp();
        var (rows, tokens) = (0L, 0L);
        using (var frozen = load())
        {
            var live = new LiveReference(frozen.Policy);
            foreach (var index in missing)
            {
                void Advanced(int batchRows, int batchTokens)
                {
                    (rows, tokens) = (rows + batchRows, tokens + batchTokens);
                    progress.Advance(Pace(rows, tokens, total, clock.GetElapsedTime(start)), rows, total);
                }

                WriteFile(index, live, Advanced, stop);
            }
        }
        var seconds = clock.GetElapsedTime(start).TotalSeconds;
        progress.Note(string.Create(CultureInfo.InvariantCulture,
            $"{Title}: {Quantity.Of(rows, "row")}, {Quantity.Of(tokens, "token")} in {seconds:F1} s "
                + $"({ProgressText.Count(tokens / Math.Max(seconds, 1e-9))} tok/s), kept in {folder}"));
        OpenFiles(chunks, fault => throw new IOException($"{folder}: {fault} right after it was written"));
    }

    private void WriteFile(int index, LiveReference live, Action<int, int> advanced, CancellationToken stop)
    {
        var sequences = new List<(UInt128, int)>();
        var values = new List<float>();
        foreach (var rows in Batches(index))
        {
            stop.ThrowIfCancellationRequested();
            var batch = TokenBatch.Concatenate(rows);
            var labels = BatchLabels.Of(batch);
            using var logps = live.TokenLogps(batch);
            values.AddRange(logps.Read<float>(DeviceWait.ReferenceLogps));
            for (var segment = 0; segment < batch.Layout.Segments.Length; segment++)
            {
                if (labels.CountOf(segment) is > 0 and var count)
                    sequences.Add((SequenceIdentity.Of(batch, segment), count));
            }
            advanced(rows.Count, batch.TokenCount);
        }
        LogpsChunk.Write(FileOf(index), sequences, values.ToArray());
    }

    /// <summary>The rows of a file in runs that are computed together.</summary>
    private IEnumerable<IReadOnlyList<TokenBatch>> Batches(int index)
    {
        var (batch, tokens) = (new List<TokenBatch>(), 0);
        foreach (var row in RowsOf(index).Select(Read).Where(row => row.LossTokenCount > 0))
        {
            if (batch.Count > 0 && tokens + row.TokenCount > options.TokensAtOnce)
            {
                yield return batch;
                (batch, tokens) = ([], 0);
            }
            batch.Add(row);
            tokens += row.TokenCount;
        }
        if (batch.Count > 0)
            yield return batch;
    }

    private IEnumerable<int> RowsOf(int index) =>
        Enumerable.Range(index * options.RowsPerFile, Math.Min(options.RowsPerFile, rowCount - index * options.RowsPerFile));

    private TokenBatch Read(int row)
    {
        foreach (var set in options.Sets)
        {
            if (row < set.Count)
                return set.Read(row);
            row -= set.Count;
        }
        throw new ArgumentOutOfRangeException(nameof(row));
    }

    private string FileOf(int index) => Path.Combine(folder, Invariant($"{index:D6}-of-{FileCount:D6}-{options.RowsPerFile}.logps"));

    private void CreateFolder()
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException(
                $"{folder}: {Title} cannot be kept here ({e.Message}); set HANDBOOK_CACHE to a folder that can be written", e);
        }
    }

    private static string Pace(long rows, long tokens, long total, TimeSpan elapsed)
    {
        var left = elapsed * ((double)(total - rows) / Math.Max(1, rows));
        return $"{Title}, {ProgressText.Count(tokens / Math.Max(elapsed.TotalSeconds, 1e-9))} tok/s, {ProgressText.Time(left)} left";
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
