using System.Text.Json;
using Handbook.Data.Inspection;
using Handbook.Data.Packing;
using Handbook.Data.Preparation;
using Handbook.Data.Sources;
using Handbook.Data.Store;
using Handbook.Data.Tests.Preparation;
using Handbook.TestSupport;

namespace Handbook.Data.Tests.Inspection;

public sealed class StoreInspectionTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Of_Store_CountsLengthsLabelsAndRepeats()
    {
        folder.Write("t.jsonl", "{\"text\":\"abc\"}\n{\"text\":\"abcdefg\"}\n{\"text\":\"abc\"}\n");
        using var store = Prepare(StoreKind.Sequences);
        var statistics = StoreStatistics.Of(store);
        Assert.Equal(new LengthStatistics(4, 4, 8, 8, 8, 16 / 3.0), statistics.Lengths);
        Assert.Equal(1, statistics.Duplicates);
        Assert.EndsWith("line 3", statistics.DuplicateExamples[0].Example, StringComparison.Ordinal);
        Assert.EndsWith("line 1", statistics.DuplicateExamples[0].Of, StringComparison.Ordinal);
        Assert.Equal((3, 16, 13), (statistics.Sources[0].Examples, (int)statistics.Sources[0].Tokens, (int)statistics.Sources[0].Labels));
        Assert.Equal(
            [(PackingStrategy.None, 3), (PackingStrategy.BestFitBy1000, 2), (PackingStrategy.BestFit, 2), (PackingStrategy.Wrapped, 2)],
            statistics.Packings.Select(p => (p.Strategy, p.Rows)));
    }

    [Fact]
    public void ToParquet_Sequences_HoldsEveryRowsTokensAndLabels()
    {
        folder.Write("t.jsonl",
            string.Concat(Enumerable.Range(0, 200)
                .Select(i => $"{{\"prompt\":\"p{i}\",\"completion\":\"{new string('c', i % 7 + 1)}\"}}\n")));
        using var store = Prepare(StoreKind.Sequences);
        var rows = Export(store);
        Assert.Equal(store.Train.RowCount, rows.Count);
        for (var i = 0; i < rows.Count; i++)
        {
            var batch = store.Train.Row(i);
            Assert.Equal(batch.TokenIds, Integers(rows[i], "input_ids"));
            Assert.Equal(batch.TokenIds.Select((id, k) => batch.LossMask[k] ? id : -100), Integers(rows[i], "labels"));
            Assert.Equal(batch.Layout.Positions(), Integers(rows[i], "position_ids"));
        }
        Assert.Equal(["out.parquet"], Directory.GetFiles(folder.Path, "out*").Select(Path.GetFileName));
    }

    [Fact]
    public void ToParquet_PairsAndVerdicts_HoldTheirParts()
    {
        folder.Write("t.jsonl", "{\"prompt\":\"p\",\"chosen\":\"c\",\"rejected\":\"r\"}\n");
        using (var pairs = Prepare(StoreKind.Pairs))
            Assert.Equal(pairs.Train.Pair(0).Rejected, Integers(Export(pairs)[0], "rejected_ids"));
        folder.Write("t.jsonl", "{\"prompt\":\"p\",\"completion\":\"c\",\"label\":false}\n");
        using var verdicts = Prepare(StoreKind.Verdicts);
        Assert.False(Export(verdicts)[0].GetProperty("label").GetBoolean());
    }

    [Fact]
    public void ToParquet_FolderThatIsNotThere_SaysSo()
    {
        folder.Write("t.jsonl", "{\"text\":\"abc\"}\n");
        using var store = Prepare(StoreKind.Sequences);
        Assert.Contains("cannot be written",
            Assert.Throws<UserErrorException>(() => StoreExport.ToParquet(store, store.Train, folder.File("no/such/out.parquet"))).Message,
            StringComparison.Ordinal);
    }

    private List<JsonElement> Export(TokenStore store)
    {
        StoreExport.ToParquet(store, store.Train, folder.File("out.parquet"));
        return [.. new ParquetFile(folder.File("out.parquet"), new SourceOptions()).Read(null).Select(row => row.Parse().RootElement)];
    }

    private TokenStore Prepare(StoreKind kind) => new DataPreparation(
        new PreparationOptions { Sources = [new DatasetPart(new DatasetRequest("t.jsonl"))],
            Packing = new PackingOptions { MaxLength = 12 }, CacheFolder = folder.File("cache") },
        new ByteEncoder(kind), [new LocalDatasetResolver(folder.Path)]).Prepare();

    private static IEnumerable<int> Integers(JsonElement row, string name) =>
        row.GetProperty(name).EnumerateArray().Select(v => v.GetInt32());
}
