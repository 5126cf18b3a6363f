using Handbook.Data.Examples;
using Handbook.Data.Packing;
using Handbook.Data.Preparation;
using Handbook.Data.Sources;
using Handbook.Data.Store;

namespace Handbook.Data.Inspection;

/// <summary>The examples of a set one by one: their tokens as they lie in the store, and their words as they stand in the data.</summary>
public sealed class StoredExamples
{
    private readonly TokenStore store;
    private readonly TokenSet set;
    private readonly int[] labels;

    /// <summary>The examples of a set that stand in rows.</summary>
    /// <param name="store">The store.</param>
    /// <param name="set">One of its sets.</param>
    public StoredExamples(TokenStore store, TokenSet set)
    {
        (this.store, this.set) = (store, set);
        var stands = new bool[store.ExampleCount];
        labels = new int[store.ExampleCount];
        foreach (var piece in Pieces())
        {
            stands[piece.Document] = true;
            // The first token of an example is predicted from nothing.
            foreach (var token in store.Marked(piece)[(piece.Start == 0 ? 1 : 0)..])
                labels[piece.Document] += token >= 0 ? 1 : 0;
        }
        Numbers = [.. Enumerable.Range(0, stands.Length).Where(number => stands[number])];
    }

    /// <summary>Their numbers in the store, in the order of the data.</summary>
    public IReadOnlyList<int> Numbers { get; }

    /// <summary>An example's tokens and labels.</summary>
    public EncodedExample Read(int number)
    {
        ref readonly var record = ref store.Record(number);
        var marked = store.Marked(new Piece(number, 0, record.Length));
        var (ids, mask) = (new int[marked.Length], new bool[marked.Length]);
        for (var i = 0; i < ids.Length; i++)
            (ids[i], mask[i]) = marked[i] >= 0 ? (marked[i], true) : (~marked[i], false);
        // Predicted from nothing, as the counts of the set have it; where documents see each other, the one before predicts it.
        if (set.Summary.Isolated && mask.Length > 0)
            mask[0] = false;
        int[][] parts = store.Kind switch
        {
            StoreKind.Pairs => [ids[..record.Part0], ids[record.Part0..^record.Part2], ids[^record.Part2..]],
            StoreKind.Verdicts => [ids[..record.Part0], ids[record.Part0..]],
            _ => [ids],
        };
        return new EncodedExample(parts, store.Kind == StoreKind.Sequences ? mask : null, record.Desirable == 1,
            record.Characters, record.LostTokens);
    }

    /// <summary>True for an example that has labels, none of which stands in a row.</summary>
    public bool LostItsLabels(int number) => labels[number] == 0 && store.LabelCount(number) > 0;

    /// <summary>For each of some examples, which of its tokens stand in a row; the others were cut off.</summary>
    public IReadOnlyDictionary<int, bool[]> Kept(IReadOnlyCollection<int> numbers)
    {
        var kept = numbers.Distinct().ToDictionary(number => number, number => new bool[store.Length(number)]);
        foreach (var piece in Pieces())
        {
            if (kept.TryGetValue(piece.Document, out var tokens))
                tokens.AsSpan(piece.Start, piece.Length).Fill(true);
        }
        return kept;
    }

    /// <summary>Reads some examples again from the data they came from.</summary>
    /// <param name="numbers">Which.</param>
    /// <param name="options">What the store was prepared from.</param>
    /// <param name="resolvers">Where datasets are looked for.</param>
    /// <exception cref="UserErrorException">The data is not there any more.</exception>
    public IReadOnlyDictionary<int, Example> Source(
        IReadOnlyCollection<int> numbers, PreparationOptions options, IReadOnlyList<IDatasetResolver> resolvers)
    {
        DatasetPart[] parts = options.Evaluation is null ? [.. options.Sources] : [.. options.Sources, options.Evaluation];
        var examples = new Dictionary<int, Example>();
        foreach (var ofSource in numbers.Distinct().GroupBy(store.SourceOf))
        {
            var wanted = ofSource.ToDictionary(number => store.Record(number).Row);
            var part = parts[ofSource.Key];
            var source = RowSource.Open(part.Request, resolvers, options.Files with { Columns = part.Columns ?? options.Files.Columns });
            var reader = ExampleReader.Recognize(
                source, options.TextColumn, options.PreferText,
                shape => shape.ToString() == store.Manifest.Sources[ofSource.Key].Shape, options.SkipBadRows);
            foreach (var row in source.Read(wanted.ContainsKey).Take(wanted.Count))
                examples[wanted[row.Index]] = reader.Read(row);
        }
        return examples;
    }

    private IEnumerable<Piece> Pieces()
    {
        for (var row = 0; row < set.RowCount; row++)
        {
            foreach (var piece in set.Pieces(row).ToArray())
                yield return piece;
        }
    }
}
