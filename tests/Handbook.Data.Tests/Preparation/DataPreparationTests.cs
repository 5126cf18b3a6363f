using System.Text;
using Handbook.Data.Inspection;
using Handbook.Data.Mixtures;
using Handbook.Data.Packing;
using Handbook.Data.Preparation;
using Handbook.Data.Sources;
using Handbook.Data.Store;
using Handbook.Data.Tests.Sources;
using Handbook.TestSupport;

namespace Handbook.Data.Tests.Preparation;

public sealed class DataPreparationTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Prepare_Text_HoldsEveryTokenInPackedRows()
    {
        folder.Write("train.jsonl", "{\"text\":\"alpha\"}\n{\"text\":\"be\"}\n\n{\"text\":\"gamma!\"}\n");
        using var store = Prepare(Options("train.jsonl", max: 10));
        Assert.Equal(2, store.Train.RowCount);
        Assert.Equal(3, store.Train.ExampleCount);
        Assert.Equal(16, store.Train.TokenCount);
        // The first token of a document is predicted from nothing.
        Assert.Equal(13, store.Train.LossTokenCount);
        var row = store.Train.Row(0);
        Assert.Equal([.. "gamma!"u8.ToArray().Select(b => (int)b), 256, .. "be"u8.ToArray().Select(b => (int)b), 256], row.TokenIds);
        Assert.Equal(SequenceLayout.Documents([7, 3]), row.Layout);
        Assert.Equal([2L, 1L], row.ExampleIds);
        Assert.EndsWith("train.jsonl, line 4", store.Describe(2), StringComparison.Ordinal);
        Assert.Equal(store.Train.LossTokenCount, Enumerable.Range(0, 2).Sum(i => (long)store.Train.Row(i).LossTokenCount));
    }

    [Theory]
    [InlineData(PackingStrategy.BestFit, OverlongPolicy.Split, true)]
    [InlineData(PackingStrategy.BestFit, OverlongPolicy.KeepEnd, true)]
    [InlineData(PackingStrategy.Wrapped, OverlongPolicy.KeepStart, true)]
    [InlineData(PackingStrategy.Wrapped, OverlongPolicy.KeepStart, false)]
    [InlineData(PackingStrategy.Legacy, OverlongPolicy.KeepStart, false)]
    [InlineData(PackingStrategy.None, OverlongPolicy.KeepStart, true)]
    public void Prepare_AnyPacking_CountsTheLabelsThatRowsHave(PackingStrategy strategy, OverlongPolicy overlong, bool isolated)
    {
        folder.Write("train.jsonl", Conversations(40));
        var options = Options("train.jsonl", max: 64);
        using var store = Prepare(
            options with { Packing = options.Packing with { Strategy = strategy, Overlong = overlong, Isolated = isolated } });
        var rows = Enumerable.Range(0, store.Train.RowCount).Select(store.Train.Row).ToList();
        Assert.Equal(store.Train.LossTokenCount, rows.Sum(row => (long)row.LossTokenCount));
        Assert.Equal(store.Train.TokenCount, rows.Sum(row => (long)row.TokenCount));
        Assert.All(rows, row => Assert.Equal(isolated ? row.ExampleIds.Length : 1, row.Layout.Segments.Length));
    }

    [Fact]
    public void Prepare_SecondTime_ReusesAndChangedSettingsDoNot()
    {
        folder.Write("train.jsonl", Conversations(30));
        var options = Options("train.jsonl", max: 100);
        string first;
        DateTime written;
        using (var store = Prepare(options))
            (first, written) = (store.Folder, File.GetLastWriteTimeUtc(Path.Combine(store.Folder, "store.json")));
        using (var again = Prepare(options))
        {
            Assert.Equal(first, again.Folder);
            Assert.Equal(written, File.GetLastWriteTimeUtc(Path.Combine(again.Folder, "store.json")));
        }
        using (var other = Prepare(options with { Packing = options.Packing with { MaxLength = 101 } }))
            Assert.NotEqual(first, other.Folder);
        folder.Write("train.jsonl", Conversations(31));
        using (var changed = Prepare(options))
            Assert.NotEqual(first, changed.Folder);
        Assert.Equal(3, Directory.GetFileSystemEntries(folder.File("cache/data")).Length);
    }

    [Fact]
    public void Prepare_SameBytesUnderAnotherName_IsToldByTheNameOfNow()
    {
        folder.Write("first.jsonl", Conversations(30));
        folder.Write("second.jsonl", Conversations(30));
        using var first = Prepare(Options("first.jsonl", max: 100));
        using var second = Prepare(Options("second.jsonl", max: 100));
        Assert.EndsWith("second.jsonl, line 1", second.Describe(0), StringComparison.Ordinal);
        Assert.Contains("second.jsonl", second.Manifest.Sources[0].Name, StringComparison.Ordinal);
        Assert.All(second.Manifest.Notes, note => Assert.DoesNotContain("first.jsonl", note, StringComparison.Ordinal));
        Assert.Equal(first.Train.ContentHash(), second.Train.ContentHash());
        Assert.Equal(first.ContentHash, second.ContentHash);
    }

    [Fact]
    public void Prepare_AnyNumberOfThreads_GivesTheSameContent()
    {
        folder.Write("train.jsonl", Conversations(2000));
        var hashes = new[] { 1, 2, 7 }.Select(threads =>
        {
            using var store = Prepare(
                Options("train.jsonl", max: 300) with { Threads = threads, CacheFolder = folder.File($"cache{threads}") });
            return store.ContentHash;
        });
        Assert.Single(hashes.Distinct());
    }

    [Theory]
    [InlineData(PackingStrategy.BestFit)]
    [InlineData(PackingStrategy.None)]
    public void Prepare_Streaming_ReadsNoMoreThanTrainingWillSee(PackingStrategy strategy)
    {
        folder.Write("train.jsonl", Conversations(20_000) + "this line is not even JSON");
        var options = Options("train.jsonl", max: 200) with { StreamedRows = 50 };
        var hashes = new[] { 1, 4 }.Select(threads =>
        {
            using var store = Prepare(
                options with
                {
                    Threads = threads, CacheFolder = folder.File($"c{threads}"), Packing = options.Packing with { Strategy = strategy },
                });
            Assert.InRange(store.Train.RowCount, 50, 200);
            Assert.InRange(store.ExampleCount, 50, 1000);
            return store.ContentHash;
        });
        Assert.Single(hashes.Distinct());
    }

    [Fact]
    public void Prepare_MostExamples_AreTheFirstAndEndTheReading()
    {
        folder.Write("train.jsonl", Texts("a", 5000) + "this line is not even JSON");
        using var store = Prepare(Options("train.jsonl", max: 5) with { MaxTrainExamples = 3 });
        Assert.Equal(3, store.Train.ExampleCount);
        Assert.InRange(store.ExampleCount, 3, 1000);
    }

    [Theory]
    [InlineData(PackingStrategy.BestFit, 300)]
    [InlineData(PackingStrategy.None, 1500)]
    public void Prepare_StreamedMixture_IsTheBeginningOfTheMixture(PackingStrategy strategy, int rows)
    {
        folder.Write("a/train.jsonl", Texts("a", 9000));
        folder.Write("b/train.jsonl", Texts("longer text of b ", 3000));
        var options = Options("a", max: 64);
        options = options with
        {
            Form = MixtureForm.Mixture,
            Sources = [new DatasetPart(new DatasetRequest("a"), .5), new DatasetPart(new DatasetRequest("b"), 1.0)],
            MixtureSeed = 3,
            TestSize = SplitSize.Rows(5),
            Packing = options.Packing with { Strategy = strategy },
        };
        using var all = Prepare(options with { Packing = options.Packing with { Strategy = PackingStrategy.None } });
        using var streamed = Prepare(options with { StreamedRows = rows });
        Assert.InRange(streamed.Train.RowCount, rows, 2 * rows);
        Assert.InRange(streamed.Train.ExampleCount, rows, all.Train.ExampleCount / 2);
        var seen = Enumerable.Range(0, streamed.Train.RowCount).SelectMany(row => streamed.Train.Row(row).ExampleIds)
            .Select(example => streamed.Describe(example));
        var first = Enumerable.Range(0, streamed.Train.ExampleCount).Select(row => all.Describe(all.Train.Row(row).ExampleIds[0]));
        Assert.Equal(first.Order(StringComparer.Ordinal), seen.Order(StringComparer.Ordinal));
        Assert.Equal(Read(all.Evaluation!).Order(), Rows(streamed.Evaluation!).Order());

        IEnumerable<string> Rows(TokenSet set) => Enumerable.Range(0, set.RowCount).SelectMany(row => set.Row(row).ExampleIds)
            .Select(example => Show(new StoredExamples(streamed, set).Read((int)example).Parts[0]));
    }

    [Fact]
    public void Prepare_StreamedMixtureThatEnds_HasAllItsRows()
    {
        folder.Write("a/train.jsonl", Texts("a", 20));
        folder.Write("b/train.jsonl", Texts("b", 10));
        var options = Options("a", max: 50) with
        {
            Form = MixtureForm.Mixture,
            Sources = [new DatasetPart(new DatasetRequest("a"), .5), new DatasetPart(new DatasetRequest("b"), 1.0)],
        };
        using var all = Prepare(options);
        using var streamed = Prepare(options with { StreamedRows = 1000 });
        Assert.Equal(all.ContentHash, streamed.ContentHash);
    }

    [Fact]
    public async Task Prepare_SeveralRanksAtOnce_MakesOneStoreAndAllOpenIt()
    {
        folder.Write("train.jsonl", Conversations(3000));
        var ranks = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            using var store = Prepare(Options("train.jsonl", max: 300));
            return (store.Folder, store.ContentHash);
        })));
        Assert.Single(ranks.Distinct());
        Assert.Equal([ranks[0].Folder], Directory.GetFileSystemEntries(folder.File("cache/data")));
    }

    [Fact]
    public void Prepare_TokensFromElsewhere_NamesTheLargestId()
    {
        folder.Write("train.jsonl", "{\"input_ids\":[1,2]}\n{\"input_ids\":[3,70000]}\n{\"input_ids\":[70000,4]}\n");
        using var store = Prepare(Options("train.jsonl", max: 10));
        Assert.Equal(70000, store.Manifest.LargestTokenId);
        Assert.EndsWith("train.jsonl, line 2", store.Manifest.LargestTokenIdExample, StringComparison.Ordinal);
    }

    [Fact]
    public void Prepare_Mixture_FollowsTheMixturesOrder()
    {
        folder.Write("a/train.jsonl", Texts("a", 20));
        folder.Write("b/train.jsonl", Texts("b", 10));
        var options = Options("a", max: 50) with
        {
            Form = MixtureForm.Mixture,
            Sources = [new DatasetPart(new DatasetRequest("a"), .5), new DatasetPart(new DatasetRequest("b"), 1.0)],
            MixtureSeed = 42,
            TestSize = SplitSize.Rows(4),
        };
        using var store = Prepare(options with { Packing = options.Packing with { Strategy = PackingStrategy.None } });
        var order = Mixture.Combine([new MixtureEntry("a", "train", 20, .5), new MixtureEntry("b", "train", 10, 1.0)], 42,
            SplitSize.Rows(4), Profile.Best);
        Assert.Equal(order.Train.Select(row => $"{"ab"[row.Source]}{row.Row}"), Read(store.Train));
        Assert.Equal(order.Test.Select(row => $"{"ab"[row.Source]}{row.Row}"), Read(store.Evaluation!));
    }

    [Theory]
    [InlineData(StoppingStrategy.FirstExhausted, "a0 b0 a1 b1")]
    [InlineData(StoppingStrategy.AllExhausted, "a0 b0 a1 b1 a2 b0")]
    [InlineData(StoppingStrategy.AllExhaustedWithoutReplacement, "a0 b0 a1 b1 a2")]
    public void Prepare_InterleavedMixture_TakesTurns(StoppingStrategy stop, string expected)
    {
        folder.Write("a/train.jsonl", Texts("a", 3));
        folder.Write("b/train.jsonl", Texts("b", 2));
        var options = Options("a", max: 50) with
        {
            Form = MixtureForm.Mixture,
            Sources = [new DatasetPart(new DatasetRequest("a"), null), new DatasetPart(new DatasetRequest("b"), null)],
            Interleave = new InterleaveRule(stop, null),
        };
        using var store = Prepare(options with { Packing = options.Packing with { Strategy = PackingStrategy.None } });
        Assert.Equal(expected.Split(' '), Read(store.Train));
    }

    [Theory]
    [InlineData("test", 2)]
    [InlineData("validation", -1)]
    public void Prepare_EvaluationSplit_IsTakenWhereThereIsOne(string split, int rows)
    {
        folder.Write("a/train.jsonl", Texts("a", 5));
        folder.Write("a/test.jsonl", Texts("t", 2));
        var options = Options("a", max: 3);
        using var store = Prepare(options with { Evaluation = new DatasetPart(new DatasetRequest("a", Split: split)) });
        Assert.Equal(rows, store.Evaluation?.RowCount ?? -1);
        Assert.Equal(rows < 0, store.Manifest.Notes.Any(note => note.Contains("there is no split validation", StringComparison.Ordinal)));
        if (rows > 0)
            Assert.Equal(["t0", "t1"], Read(store.Evaluation!));
    }

    [Theory]
    [InlineData("{\"instruction\":\"i\",\"input\":\"\",\"output\":\"o\"}", "conversations, from instruction, output (Alpaca)")]
    [InlineData("{\"conversations\":[{\"from\":\"human\",\"value\":\"q\"},{\"from\":\"gpt\",\"value\":\"r\"}]}",
        "conversations, from conversations (ShareGPT)")]
    [InlineData("{\"text\":\"t\"}", "plain text, from text")]
    public void Prepare_AnyShape_TellsWhatTheRowsWereRecognisedAs(string row, string expected)
    {
        folder.Write("train.jsonl", row);
        using var store = Prepare(Options("train.jsonl", max: 100));
        Assert.Equal($"train.jsonl, split train: rows are read as {expected}", store.Manifest.Notes[0]);
    }

    [Fact]
    public void Prepare_Pairs_GivesPromptChosenRejected()
    {
        folder.Write("train.jsonl",
            """{"prompt":"p","chosen":[{"role":"user","content":"hi"},{"role":"assistant","content":"good"}],"rejected":"""
                + """[{"role":"user","content":"hi"},{"role":"assistant","content":"bad"}]}""");
        using var store = Prepare(Options("train.jsonl", max: 100), StoreKind.Pairs);
        var pair = store.Train.Pair(0);
        Assert.Equal("hi good bad", string.Join(' ', new[] { pair.Prompt, pair.Chosen, pair.Rejected }.Select(Show)));
        Assert.Equal(3, store.Train.Row(0).Layout.Segments.Length);
        Assert.Equal(pair.Chosen.Length + pair.Rejected.Length, store.Train.Row(0).LossTokenCount);
    }

    [Theory]
    [InlineData("t.jsonl", 0.1)]
    [InlineData("t.parquet", 0)]
    public void Prepare_WholeDataset_TellsHowMuchIsLeftFromTheBeginning(string name, double tolerance)
    {
        const int Count = 3000;
        DatasetWriters.Write(folder.File(name), DatasetWriters.Conversations(Count));
        var told = new List<PreparationProgress>();
        using var store = new DataPreparation(Options(name, max: 300), new ByteEncoder(StoreKind.Sequences),
            [new LocalDatasetResolver(folder.Path)]).Prepare(new Telling(told));
        Assert.All(told, progress => Assert.InRange(progress.TotalExamples!.Value, Count * (1 - tolerance), Count * (1 + tolerance)));
        Assert.All(told, progress => Assert.NotNull(progress.Remaining));
        Assert.Equal(Count, told[^1].Examples);
    }

    private sealed class Telling(List<PreparationProgress> told) : IProgress<PreparationProgress>
    {
        public void Report(PreparationProgress value) => told.Add(value);
    }

    [Fact]
    public void Prepare_DroppedExamples_AreCountedOnce()
    {
        folder.Write("train.jsonl", Texts("a", 3) + "{\"text\":\"" + new string('x', 50) + "\"}\n");
        var options = Options("train.jsonl", max: 20);
        using var store = Prepare(options with { Packing = options.Packing with { Overlong = OverlongPolicy.Drop } });
        Assert.Equal((3, 1, 0), (store.Train.ExampleCount, store.Train.Summary.Dropped, store.Train.Summary.WithoutLabel));
    }

    [Fact]
    public void Prepare_Verdicts_GivesPromptCompletionAndLabel()
    {
        folder.Write("train.jsonl",
            "{\"prompt\":\"p\",\"completion\":\"yes\",\"label\":true}\n{\"prompt\":\"p\",\"completion\":\"no\",\"label\":false}\n");
        using var store = Prepare(Options("train.jsonl", max: 100), StoreKind.Verdicts);
        Assert.Equal([("yes", true), ("no", false)],
            Enumerable.Range(0, 2).Select(store.Train.Verdict).Select(v => (Show(v.Completion), v.Desirable)));
    }

    [Fact]
    public void Prepare_WithoutAnyLabel_SaysSoBeforeTraining()
    {
        folder.Write("train.jsonl", "{\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}\n");
        Assert.Contains("not one token of 1 training examples is a label",
            Assert.Throws<UserErrorException>(() => Prepare(Options("train.jsonl", max: 100))).Message, StringComparison.Ordinal);
        using var store = new DataPreparation(Options("train.jsonl", max: 100), new ByteEncoder(StoreKind.Sequences),
            [new LocalDatasetResolver(folder.Path)]).PrepareForInspection();
        Assert.Equal((1, 0L), (store.Train.ExampleCount, store.Train.LossTokenCount));
    }

    [Fact]
    public void Prepare_ExampleTruncatedToNoLabel_IsCountedAndNamed()
    {
        folder.Write("train.jsonl",
            Conversations(3) + "{\"messages\":[{\"role\":\"user\",\"content\":\"" + new string('x', 500)
                + "\"},{\"role\":\"assistant\",\"content\":\"late\"}]}\n");
        using var store = Prepare(Options("train.jsonl", max: 200));
        Assert.Equal(1, store.Train.Summary.WithoutLabel);
        Assert.EndsWith("train.jsonl, line 4", store.Train.Summary.WithoutLabelExamples[0], StringComparison.Ordinal);
        Assert.Equal(1, store.Train.Summary.RowsWithoutLabel);
        Assert.Equal(1, store.Train.Summary.Truncated);
    }

    [Fact]
    public void Open_FileCutShort_SaysWhich()
    {
        folder.Write("train.jsonl", Conversations(30));
        string path;
        using (var store = Prepare(Options("train.jsonl", max: 100)))
            path = store.Folder;
        using (var file = File.OpenWrite(Path.Combine(path, "tokens.bin")))
            file.SetLength(file.Length - 4);
        Assert.Contains("tokens.bin", Assert.Throws<UserErrorException>(() => TokenStore.Open(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void EpochOrder_EveryEpoch_IsAnotherPermutation()
    {
        folder.Write("train.jsonl", Conversations(50));
        using var store = Prepare(Options("train.jsonl", max: 60));
        var count = store.Train.RowCount;
        Assert.Equal(Enumerable.Range(0, count), store.Train.EpochOrder(42, 0).Order());
        Assert.NotEqual(store.Train.EpochOrder(42, 0), store.Train.EpochOrder(42, 1));
        Assert.Equal(Enumerable.Range(0, count), store.Train.EpochOrderByLength(42, 0, 2).Order());
    }

    private TokenStore Prepare(PreparationOptions options, StoreKind kind = StoreKind.Sequences) =>
        new DataPreparation(options, new ByteEncoder(kind), [new LocalDatasetResolver(folder.Path)]).Prepare();

    private PreparationOptions Options(string name, int max) => new()
    {
        Sources = [new DatasetPart(new DatasetRequest(name))],
        Packing = new PackingOptions { MaxLength = max },
        CacheFolder = folder.File("cache"),
    };

    private static IEnumerable<string> Read(TokenSet set) => Enumerable.Range(0, set.RowCount).Select(row => Show(set.Row(row).TokenIds));

    private static string Show(int[] ids) => Encoding.UTF8.GetString([.. ids.Where(id => id < 256).Select(id => (byte)id)]);

    private static string Texts(string prefix, int count) =>
        string.Concat(Enumerable.Range(0, count).Select(i => $"{{\"text\":\"{prefix}{i}\"}}\n"));

    private static string Conversations(int count) => string.Concat(Enumerable.Range(0, count).Select(i =>
        $"{{\"messages\":[{{\"role\":\"user\",\"content\":\"question "
        + $"{i}\"}},{{\"role\":\"assistant\",\"content\":\"{new string('a', i * 37 % 101)} answer\"}}]}}\n"));
}
