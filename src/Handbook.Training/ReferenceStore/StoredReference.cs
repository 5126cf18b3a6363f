using Handbook.Data.Packing;
using Handbook.Torch;
using Handbook.Training.Objectives;
using Handbook.Training.Objectives.Preference;
using Handbook.Training.Progress;

namespace Handbook.Training.ReferenceStore;

/// <summary>
/// Reference log-probabilities that were computed beforehand, in files: no second model is in memory. They are what the
/// frozen model computed, rounded to float32, which for models in bfloat16 and float32 is no rounding: a row that is computed
/// alone, or beside the rows it was stored with, has the same bits. Beside other rows the matrix products may add in another
/// order, which moves a live log-probability by about 1e-6 in float32 and 1e-2 in bfloat16.
/// </summary>
public sealed class StoredReference : IReferenceLogps, IDisposable
{
    private readonly LogpsChunk[] chunks;
    private readonly Dictionary<UInt128, (int Chunk, int Start, int Count)> places = [];

    // Equal sequences (the two completions of a pair, a pair that occurs twice) may differ in their last bits by where they stood.
    private readonly Dictionary<UInt128, List<(int Chunk, int Start, int Count)>> repeats = [];

    internal StoredReference(string folder, LogpsChunk[] chunks)
    {
        (Folder, this.chunks) = (folder, chunks);
        for (var i = 0; i < chunks.Length; i++)
        {
            foreach (var (identity, start, count) in chunks[i].Sequences())
                Add(identity, (i, start, count));
        }
    }

    /// <summary>Where the store lies.</summary>
    public string Folder { get; }

    /// <summary>Number of log-probabilities.</summary>
    public long ValueCount => chunks.Sum(chunk => (long)chunk.ValueCount);

    /// <summary>Opens a store, and computes before what is missing or damaged of it.</summary>
    /// <param name="options">What it covers and where it lies.</param>
    /// <param name="load">
    /// Loads the frozen model; called only when something is missing, and its model is let go before this returns.
    /// </param>
    /// <param name="progress">Hears of rate and time left.</param>
    /// <param name="clock">Where time comes from.</param>
    /// <param name="stop">Ends the computation; what is whole stays and is not computed again.</param>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    /// <exception cref="UserErrorException">The folder cannot be written, or the model cannot be loaded.</exception>
    public static StoredReference Open(
        ReferenceStoreOptions options, Func<ReferenceModel> load, ITrainingProgress progress, TimeProvider clock, CancellationToken stop) =>
        new ReferencePass(options, progress, clock).Run(load, stop);

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">A sequence of the batch is not of the rows that the store was made of.</exception>
    public Tensor TokenLogps(TokenBatch batch)
    {
        var labels = BatchLabels.Of(batch);
        var logps = new double[batch.LossTokenCount];
        var occurrences = new Dictionary<UInt128, int>();
        for (var segment = 0; segment < batch.Layout.Segments.Length; segment++)
        {
            var count = labels.CountOf(segment);
            if (count == 0)
                continue;
            if (Find(SequenceIdentity.Of(batch, segment), occurrences) is not { } place || place.Count != count)
            {
                throw new InvalidOperationException(
                    $"{Folder}: no log-probabilities of segment {segment} of a batch of examples "
                    + $"{string.Join(", ", batch.ExampleIds.Take(8))}");
            }
            var values = chunks[place.Chunk].Values(place.Start, count);
            for (var i = 0; i < count; i++)
                logps[labels.Offsets[segment] + i] = values[i];
        }
        return Tensor.From(logps);
    }

    /// <summary>Unmaps the files.</summary>
    public void Dispose()
    {
        foreach (var chunk in chunks)
            chunk.Dispose();
    }

    private void Add(UInt128 identity, (int Chunk, int Start, int Count) place)
    {
        if (places.TryAdd(identity, place))
            return;
        if (!repeats.TryGetValue(identity, out var all))
            repeats[identity] = all = [places[identity]];
        all.Add(place);
    }

    /// <summary>The first of equal sequences of a batch gets the first that was stored, the next the next.</summary>
    private (int Chunk, int Start, int Count)? Find(UInt128 identity, Dictionary<UInt128, int> occurrences)
    {
        if (!places.TryGetValue(identity, out var place))
            return null;
        if (!repeats.TryGetValue(identity, out var all))
            return place;
        var occurrence = occurrences.GetValueOrDefault(identity);
        occurrences[identity] = occurrence + 1;
        return all[occurrence % all.Count];
    }
}
