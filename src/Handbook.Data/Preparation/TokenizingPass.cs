using Handbook.Data.Cleaning;
using Handbook.Data.Examples;
using Handbook.Data.Mixtures;
using Handbook.Data.Packing;
using Handbook.Data.Sources;
using Handbook.Data.Store;

namespace Handbook.Data.Preparation;

/// <summary>Reads every source once, in order, and writes each example's tokens; parsing, rendering and tokenizing run on all threads.</summary>
internal sealed class TokenizingPass(
    TokenStoreWriter writer, IExampleEncoder encoder, Cleaner? cleaner, PreparationOptions options, SetOrders orders, TimeProvider time,
    IProgress<PreparationProgress>? progress)
{
    private const int RowsAtOnce = 128;
    private const int BytesAtOnce = 1 << 19;
    private const int KeptBadRows = 20;
    private const int NotKept = -1;
    private const int Emptied = -2;
    private readonly List<int[]> documentOfRow = [];
    private readonly List<int> emptiedOfSource = [];
    private readonly List<(int First, int Count)> documentsOfSource = [];
    private readonly List<List<(string Path, bool IsLine)>> filesOfSource = [];
    private readonly long began = time.GetTimestamp();
    private long bytes;
    private long examples;

    /// <summary>Bad rows left out.</summary>
    public int BadRows { get; private set; }

    /// <summary>The first of them.</summary>
    public List<string> BadRowExamples { get; } = [];

    /// <summary>Where a document comes from.</summary>
    public string PlaceOf(int document)
    {
        var record = writer.Read(document);
        var (path, isLine) = filesOfSource[record.Source][record.File];
        return new RowPlace(path, record.Number, isLine).ToString();
    }

    /// <summary>The documents of a set in the mixture's order; without one, those of a source in file order.</summary>
    public int[] Documents(MixtureRow[]? order, int source, int? most)
    {
        IEnumerable<int> documents = order is null
            ? Enumerable.Range(documentsOfSource[source].First, documentsOfSource[source].Count)
            : order.Select(DocumentOf).Where(document => document >= 0);
        return [.. most is { } limit ? documents.Take(limit) : documents];
    }

    /// <summary>How many examples of a set have nothing left to learn from: no token, or an answer cut to none.</summary>
    public int EmptiedOf(MixtureRow[]? order, int source) =>
        order is null ? emptiedOfSource[source] : order.Count(row => DocumentOf(row) == Emptied);

    private int DocumentOf(MixtureRow row) => row.Row < documentOfRow[row.Source].Length ? documentOfRow[row.Source][row.Row] : NotKept;

    /// <summary>Reads a source to its end.</summary>
    public StoreSource Run(int number, RowSource source, ExampleReader reader, CancellationToken cancellation)
    {
        var (first, firstToken) = (writer.Count, writer.TokenCount);
        var files = new List<(string Path, bool IsLine)>();
        filesOfSource.Add(files);
        var rows = new List<int>();
        var emptied = 0;
        var threads = options.Threads > 0 ? options.Threads : Environment.ProcessorCount;
        foreach (var batch in OrderedParallel.Map(Batches(source.Read(orders.Wanted(number))), batch => Encode(batch, reader, source.Options), threads, cancellation))
        {
            foreach (var (row, encoded, problem, verdict) in batch)
            {
                if (files.Count == 0 || files[^1].Path != row.Place.File)
                    files.Add((row.Place.File, row.Place.IsLine));
                bytes += row.Json.Length;
                examples++;
                if (problem is not null)
                {
                    Report(problem);
                }
                else if (verdict is null || cleaner!.Keeps(verdict, row.Place))
                {
                    emptied += encoded is null ? 1 : 0;
                    Note(rows, row.Index, encoded is null ? Emptied : writer.Add(encoded, number, row.Index, files.Count - 1, row.Place.Number));
                }
            }
            Tell("tokenize");
            if (HasEnough(number, writer.Count - first))
                break;
        }
        documentOfRow.Add([.. rows]);
        emptiedOfSource.Add(emptied);
        documentsOfSource.Add((first, writer.Count - first));
        return new StoreSource(source.Request.ToString(), reader.Shape.ToString(), files, writer.Count - first, writer.TokenCount - firstToken);
    }

    /// <summary>
    /// True when the most examples asked for were read, or, streaming, what fills all rows that training will see, a little
    /// more for places left empty.
    /// </summary>
    private bool HasEnough(int source, int count) =>
        (orders.Train is null && count >= (source == 0 ? options.MaxTrainExamples : options.MaxEvaluationExamples))
        || (source == 0 && options.StreamedRows is { } rows && FillsRows(rows));

    private bool FillsRows(long rows) => options.Packing.Strategy == PackingStrategy.None || encoder.Kind != StoreKind.Sequences
            ? writer.Count >= rows
            : writer.TokenCount >= rows * options.Packing.MaxLength * 1.02;

    /// <summary>Notes where a row's document is; only a mixture asks for documents by their rows.</summary>
    private void Note(List<int> rows, long row, int document)
    {
        if (orders.Train is null)
            return;
        while (rows.Count <= row)
            rows.Add(NotKept);
        rows[(int)row] = document;
    }

    private List<Outcome> Encode(List<SourceRow> batch, ExampleReader reader, SourceOptions source)
    {
        var outcomes = new List<Outcome>(batch.Count);
        foreach (var row in batch)
        {
            try
            {
                using var document = row.Parse();
                var example = reader.Read(document.RootElement, row.Place);
                var verdict = cleaner?.Look(example, document.RootElement, source);
                outcomes.Add(new Outcome(row, verdict?.Rule is null ? encoder.Encode(example) : null, null, verdict));
            }
            catch (BadRowException e)
            {
                outcomes.Add(new Outcome(row, null, e, null));
            }
        }
        return outcomes;
    }

    private void Report(BadRowException problem)
    {
        if (!options.SkipBadRows)
            throw problem.AsUserError();
        BadRows++;
        if (BadRowExamples.Count < KeptBadRows)
            BadRowExamples.Add(problem.Message);
    }

    private static IEnumerable<List<SourceRow>> Batches(IEnumerable<SourceRow> rows)
    {
        var batch = new List<SourceRow>(RowsAtOnce);
        var size = 0;
        foreach (var row in rows)
        {
            batch.Add(row);
            size += row.Json.Length;
            if (batch.Count == RowsAtOnce || size >= BytesAtOnce)
            {
                yield return batch;
                (batch, size) = (new List<SourceRow>(RowsAtOnce), 0);
            }
        }
        if (batch.Count > 0)
            yield return batch;
    }

    /// <summary>Reports how far preparation has come.</summary>
    public void Tell(string stage)
    {
        if (progress is null)
            return;
        var elapsed = time.GetElapsedTime(began);
        var remaining = orders.Total is { } total && examples > 0 ? elapsed * ((double)(total - examples) / examples) : (TimeSpan?)null;
        progress.Report(new PreparationProgress(stage, examples, orders.Total, bytes, writer.TokenCount, elapsed, remaining));
    }

    private readonly record struct Outcome(SourceRow Row, EncodedExample? Encoded, BadRowException? Problem, CleaningVerdict? Verdict);
}
