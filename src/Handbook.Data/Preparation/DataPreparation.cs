using Handbook.Data.Cleaning;
using Handbook.Data.Examples;
using Handbook.Data.Mixtures;
using Handbook.Data.Packing;
using Handbook.Data.Sources;
using Handbook.Data.Store;

namespace Handbook.Data.Preparation;

/// <summary>
/// Prepares a run's data once: finds it, mixes it, renders, tokenizes and masks it on all threads, packs it, and keeps the
/// result under a key of all that decides it. A second run, and every other rank, opens what is there.
/// </summary>
/// <param name="options">What to prepare.</param>
/// <param name="encoder">How examples become tokens.</param>
/// <param name="resolvers">Where datasets are looked for; null: the working folder, then this machine's Hugging Face cache.</param>
/// <param name="time">Clock for rates.</param>
public sealed class DataPreparation(
    PreparationOptions options, IExampleEncoder encoder, IReadOnlyList<IDatasetResolver>? resolvers = null, TimeProvider? time = null)
{
    private readonly PreparationOptions asked = options;
    private readonly IReadOnlyList<IDatasetResolver> resolvers = resolvers
        ?? [new LocalDatasetResolver("."), HubCacheResolver.OfThisMachine()];
    private readonly TimeProvider time = time ?? TimeProvider.System;

    /// <summary>All ranks: the first prepares, the others open what it made.</summary>
    public World World { get; init; } = World.Single;

    /// <summary>Hears who prepares the same data when it has to be waited for.</summary>
    public Action<string>? Waits { get; init; }

    /// <summary>The store, prepared now or opened.</summary>
    /// <exception cref="UserErrorException">A dataset is missing or broken, or training would have no label.</exception>
    public TokenStore Prepare(IProgress<PreparationProgress>? progress = null, CancellationToken cancellation = default)
    {
        var store = PrepareForInspection(progress, cancellation);
        if (store.Train.LossTokenCount > 0)
            return store;
        store.Dispose();
        throw new UserErrorException(
            $"{Names(asked.Sources.Select(part => part.Request))}: not one token of {store.Train.ExampleCount} training examples is a "
            + $"label; check the loss scope, the template and max_length ({store.Train.Summary.MaxLength})");
    }

    /// <summary>The store, prepared now or opened, though it may have no label: what is wrong with it is to be looked at.</summary>
    /// <exception cref="UserErrorException">A dataset is missing or broken, or nothing is left of it.</exception>
    public TokenStore PrepareForInspection(IProgress<PreparationProgress>? progress = null, CancellationToken cancellation = default)
    {
        var options = asked.Evaluation is { } evaluation && !RowSource.HasSplits(evaluation.Request, resolvers)
            ? asked with { Evaluation = null } : asked;
        var parts = options.Evaluation is null ? options.Sources : [.. options.Sources, options.Evaluation];
        var sources = parts
            .Select(part => RowSource.Open(part.Request, resolvers, options.Files with { Columns = part.Columns ?? options.Files.Columns }))
            .ToList();
        List<RowSource> read =
        [
            .. sources, .. options.Cleaning.Sets.Select(set => RowSource.OpenSplitOrAll(set, resolvers, new SourceOptions())),
        ];
        var digests = StoreKey.Digests(read.SelectMany(source => source.Files), options.StreamedRows is not null, cancellation);
        var key = StoreKey.Of(options, encoder, read, digests, Missing(options));
        var folder = new StoreFolder(options.CacheFolder, key);
        if (!World.IsFirst)
            World.Barrier();
        folder.Ensure(partial => Make(options, partial, key, sources, progress, cancellation), Waits, cancellation);
        if (World.IsFirst)
            World.Barrier();
        return TokenStore.Open(folder.Final);
    }

    private void Make(
        PreparationOptions options, string folder, string key, List<RowSource> sources, IProgress<PreparationProgress>? progress,
        CancellationToken cancellation)
    {
        var readers = sources.Select(source => ExampleReader.Recognize(source, options.TextColumn, options.PreferText,
            shape => encoder.Refuses(shape) is null, options.SkipBadRows)).ToList();
        for (var i = 0; i < sources.Count; i++)
        {
            if (encoder.Refuses(readers[i].Shape) is { } reason)
                throw new UserErrorException($"{sources[i].Request}: recognised as {readers[i].Recognised}; {reason}");
        }
        var orders = SetOrders.Of(options, sources);
        using var writer = new TokenStoreWriter(folder);
        var cleaner = options.Cleaning.IsActive ? new Cleaner(options.Cleaning, resolvers) : null;
        var clock = new PreparationClock(progress, time);
        var pass = new TokenizingPass(writer, encoder, cleaner, options, orders, [.. sources.Zip(readers)], clock);
        pass.Run(cancellation);
        writer.Flush();
        clock.Tell("pack", writer.TokenCount);
        var rows = new RowPacking(writer, folder, encoder.Kind, pass.PlaceOf);
        var train = rows.Pack("train.rows", pass.Train(), options.Packing);
        var evaluation = orders.HasEvaluation
            ? rows.Pack("evaluation.rows", pass.Evaluation(), options.EvaluationPacking ?? options.Packing) : null;
        if (train.RowCount == 0)
            throw new UserErrorException(
                $"{Names(sources.Select(source => source.Request))}: no training example is left after reading, cleaning and truncation");
        var manifest = new StoreManifest
        {
            Key = key,
            ContentHash = writer.ContentHash(),
            Kind = encoder.Kind,
            Train = train,
            Evaluation = evaluation,
            Sources = [.. pass.Describe()],
            BadRows = pass.BadRows,
            BadRowExamples = pass.BadRowExamples,
            Cleaning = cleaner?.Counts ?? [],
            Notes = [.. Recognised(sources, readers), .. sources.SelectMany(source => source.Notes), .. Missing(options), .. orders.Notes],
            LargestTokenId = writer.LargestTokenId,
            LargestTokenIdExample = writer.LargestTokenIdDocument is >= 0 and var largest ? pass.PlaceOf(largest) : "",
            FileSizes = new DirectoryInfo(folder).GetFiles().OrderBy(file => file.Name, StringComparer.Ordinal)
                .ToDictionary(file => file.Name, file => file.Length),
        };
        clock.Tell("finish", writer.TokenCount);
        manifest.Write(folder);
    }

    private static IEnumerable<string> Recognised(List<RowSource> sources, List<ExampleReader> readers) =>
        sources.Select((source, i) => $"{source.Request}: rows are read as {readers[i].Recognised}");

    private IEnumerable<string> Missing(PreparationOptions options) => asked.Evaluation is { } evaluation && options.Evaluation is null
        ? [$"{evaluation.Request.Name}: there is no split {evaluation.Request.Split}, so there is nothing to evaluate on"]
        : [];

    private static string Names(IEnumerable<DatasetRequest> requests) =>
        string.Join(", ", requests.Select(request => request.Name).Distinct());
}
