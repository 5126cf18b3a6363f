using Handbook.Data.Cleaning;
using Handbook.Data.Examples;
using Handbook.Data.Mixtures;
using Handbook.Data.Packing;
using Handbook.Data.Sources;
using Handbook.Data.Store;

namespace Handbook.Data.Preparation;

/// <summary>
/// Reads every source in order and writes each example's tokens; parsing, rendering and tokenizing run on all threads. All is
/// read once, but for a streamed mixture: of that, portions are read until training has enough.
/// </summary>
internal sealed class TokenizingPass
{
    private const int RowsAtOnce = 128;
    private const int BytesAtOnce = 1 << 19;
    private const int KeptBadRows = 20;
    private const int SmallestPortion = 1024;
    private readonly TokenStoreWriter writer;
    private readonly IExampleEncoder encoder;
    private readonly Cleaner? cleaner;
    private readonly PreparationOptions options;
    private readonly SetOrders orders;
    private readonly IReadOnlyList<(RowSource Source, ExampleReader Reader)> sources;
    private readonly List<SourceProgress> read = [];
    private readonly PreparationClock clock;

    public TokenizingPass(
        TokenStoreWriter writer, IExampleEncoder encoder, Cleaner? cleaner, PreparationOptions options, SetOrders orders,
        IReadOnlyList<(RowSource Source, ExampleReader Reader)> sources, PreparationClock clock)
    {
        (this.writer, this.encoder, this.cleaner, this.options) = (writer, encoder, cleaner, options);
        (this.orders, this.sources, this.clock) = (orders, sources, clock);
    }

    /// <summary>Bad rows left out.</summary>
    public int BadRows { get; private set; }

    /// <summary>The first of them.</summary>
    public List<string> BadRowExamples { get; } = [];

    /// <summary>How much of the mixture's training rows was read.</summary>
    public int TrainRows { get; private set; }

    /// <summary>Where a document comes from.</summary>
    public string PlaceOf(int document)
    {
        var record = writer.Read(document);
        var (path, isLine) = read[record.Source].Files[record.File];
        return new RowPlace(path, record.Number, isLine).ToString();
    }

    /// <summary>The sources, as they were read.</summary>
    public IEnumerable<StoreSource> Describe() => sources.Zip(read, (source, progress) => new StoreSource(
        source.Source.Request.ToString(), source.Reader.Shape.ToString(), progress.Files, progress.Documents, progress.Tokens));

    /// <summary>The training documents: in the mixture's order, or without one those of the first source.</summary>
    public (int[] Documents, int Emptied) Train() => Set(orders.Train?.AsSpan(0, TrainRows).ToArray(), 0, options.MaxTrainExamples);

    /// <summary>The evaluation documents: in the mixture's order, or without one those of the second source.</summary>
    public (int[] Documents, int Emptied) Evaluation() => Set(orders.Evaluation, 1, options.MaxEvaluationExamples);

    private (int[] Documents, int Emptied) Set(MixtureRow[]? order, int source, int? most)
    {
        IEnumerable<int> documents = order is null
            ? Enumerable.Range(read[source].FirstDocument, read[source].Documents)
            : order.Select(row => read[row.Source].DocumentOf(row.Row)).OfType<int>();
        var emptied = order?.Count(row => read[row.Source].IsEmptied(row.Row)) ?? read[source].EmptiedExamples;
        return ([.. most is { } limit ? documents.Take(limit) : documents], emptied);
    }

    /// <summary>Reads what is needed of all sources.</summary>
    public void Run(CancellationToken cancellation)
    {
        if (orders.Train is not { } train)
        {
            if (options is { StreamedRows: null, MaxTrainExamples: null, MaxEvaluationExamples: null })
                (clock.Total, clock.TotalBytes) = ReadingSize.Of([.. sources.Select(source => source.Source)]);
            Run(null, cancellation);
            return;
        }
        // A portion ends where the mixture does, and streaming where training has seen enough.
        IEnumerable<MixtureRow> portion = orders.Evaluation!;
        do
        {
            var from = TrainRows;
            TrainRows = Math.Min(train.Length, from + NextPortion());
            portion = portion.Concat(train[from..TrainRows]);
            clock.Total = orders.Evaluation!.Length + TrainRows;
            Run([.. portion], cancellation);
            portion = [];
        }
        while (TrainRows < train.Length && NextPortion() > 0);
    }

    /// <summary>How many more training rows of the mixture to read: all, or while streaming about as many as still fill rows.</summary>
    private int NextPortion()
    {
        if (options.StreamedRows is not { } rows)
            return int.MaxValue / 2;
        var documents = TrainRows == 0 ? [] : Train().Documents;
        var have = CountsDocuments ? documents.Length : documents.Sum(document => (long)writer.Lengths[document]);
        var missing = (CountsDocuments ? rows : PlacesOf(rows)) - have;
        if (missing <= 0)
            return 0;
        // What a row of the mixture brings is known from those read so far, and a little too much is better than once more.
        var each = CountsDocuments ? 1 : have / Math.Max(1.0, TrainRows);
        return each == 0 ? SmallestPortion : (int)Math.Clamp(1.1 * missing / each, SmallestPortion, int.MaxValue / 2);
    }

    private void Run(MixtureRow[]? portion, CancellationToken cancellation)
    {
        for (var i = 0; i < sources.Count; i++)
        {
            if (read.Count == i)
                read.Add(new SourceProgress { FirstDocument = writer.Count });
            if (portion is null)
                Run(i, sources[i].Source.Read(), cancellation);
            else if (SetOrders.Wanted(i, portion) is { Count: > 0 } wanted)
                Run(i, sources[i].Source.Read(wanted.Contains).Take(wanted.Count), cancellation);
        }
    }

    private void Run(int number, IEnumerable<SourceRow> rows, CancellationToken cancellation)
    {
        var ((source, reader), progress) = (sources[number], read[number]);
        var threads = options.Threads > 0 ? options.Threads : Environment.ProcessorCount;
        foreach (var batch in OrderedParallel.Map(Batches(rows), batch => Encode(batch, reader, source.Options, cancellation),
            threads, cancellation))
        {
            foreach (var (row, encoded, problem, verdict) in batch)
            {
                clock.Add(row.Json.Length);
                if (problem is not null)
                    Report(problem);
                else if (verdict is null || cleaner!.Keeps(verdict, row.Place))
                    Keep(progress, number, row, encoded);
            }
            clock.Tell("tokenize", writer.TokenCount);
            if (orders.Train is null && HasEnough(number, progress.Documents))
                break;
        }
    }

    private void Keep(SourceProgress progress, int source, SourceRow row, EncodedExample? encoded)
    {
        var file = progress.NumberOf(row.Place.File, row.Place.IsLine);
        int? document = encoded is null ? null : writer.Add(encoded, source, row.Index, file, row.Place.Number);
        progress.Add(row.Index, document, document is { } added ? writer.Lengths[added] : 0, remember: orders.Train is not null);
    }

    /// <summary>
    /// True when the most examples asked for were read, or, streaming, what fills all rows that training will see, a little
    /// more for places left empty.
    /// </summary>
    private bool HasEnough(int source, int count) =>
        count >= (source == 0 ? options.MaxTrainExamples : options.MaxEvaluationExamples)
        || (source == 0 && options.StreamedRows is { } rows
            && (CountsDocuments ? writer.Count >= rows : writer.TokenCount >= PlacesOf(rows)));

    /// <summary>Whether a document is a row.</summary>
    private bool CountsDocuments => options.Packing.Strategy == PackingStrategy.None || encoder.Kind != StoreKind.Sequences;

    private long PlacesOf(long rows) => (long)(rows * options.Packing.MaxLength * 1.02);

    private List<Outcome> Encode(List<SourceRow> batch, ExampleReader reader, SourceOptions source, CancellationToken cancellation)
    {
        var outcomes = new List<Outcome>(batch.Count);
        foreach (var row in batch)
        {
            // One row of a hostile template may take seconds.
            cancellation.ThrowIfCancellationRequested();
            try
            {
                outcomes.Add(BadRowException.Guard(row.Place, () =>
                {
                    using var document = row.Parse();
                    var example = reader.Read(document.RootElement, row.Place);
                    var verdict = cleaner?.Look(example, document.RootElement, source);
                    return new Outcome(row, verdict?.Rule is null ? encoder.Encode(example) : null, null, verdict);
                }));
            }
            catch (BadRowException e)
            {
                outcomes.Add(new Outcome(row, null, e, null));
                if (!options.SkipBadRows)
                    break;
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

    private readonly record struct Outcome(SourceRow Row, EncodedExample? Encoded, BadRowException? Problem, CleaningVerdict? Verdict);
}
