using System.Text;
using System.Text.Json.Nodes;
using Handbook.Data.Cleaning;
using Handbook.Data.Packing;
using Handbook.Data.Preparation;
using Handbook.Data.Random;
using Handbook.Data.Sources;
using Handbook.Data.Store;
using Handbook.Data.Tests.Preparation;
using Handbook.TestSupport;

namespace Handbook.Data.Tests.Cleaning;

public sealed class CleaningTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void ExactDuplicates_SameWordsElsewhereSpaced_KeepsTheFirst()
    {
        using var store = Clean(["The cat sat.", "the  CAT\nsat", "another", "The cat sat."],
            new CleaningOptions { ExactDuplicates = true });
        Assert.Equal(["The cat sat.", "another"], Texts(store));
        var count = Assert.Single(store.Manifest.Cleaning);
        Assert.Equal(("exact duplicate", 2), (count.Rule, count.Removed));
        Assert.Contains("line 2 (of ", count.Examples[0], StringComparison.Ordinal);
        Assert.Contains("line 1)", count.Examples[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void NearDuplicates_PlantedCopies_AreFoundAndOthersStay(int threads)
    {
        var random = new PythonRandom(11);
        var originals = Enumerable.Range(0, 200).Select(_ => Enumerable.Range(0, 120).Select(_ => $"w{random.Below(5000)}").ToArray())
            .ToList();
        // A copy with 2 of 120 words changed shares about 106 of 126 runs of five: 0.84. One with 40 changed shares almost none.
        var copies = originals.Take(50).Select(words => Changed(words, 2)).ToList();
        var others = originals.Skip(50).Take(50).Select(words => Changed(words, 40)).ToList();
        string[] texts = [.. originals.Concat(copies).Concat(others).Select(words => string.Join(' ', words))];
        using var store = Clean(texts, new CleaningOptions { NearDuplicates = new NearDuplicateOptions { Threshold = 0.7 } }, threads);
        var kept = Texts(store).ToHashSet();
        Assert.All(originals.Concat(others), words => Assert.Contains(string.Join(' ', words), kept));
        Assert.InRange(copies.Count(words => kept.Contains(string.Join(' ', words))), 0, 2);

        string[] Changed(string[] words, int count)
        {
            string[] changed = [.. words];
            foreach (var place in random.Sample(words.Length, count))
                changed[place] = $"x{random.Below(5000)}";
            return changed;
        }
    }

    [Fact]
    public void Signature_TwoSets_EstimatesTheirJaccardSimilarity()
    {
        // Two texts of 400 runs that share 300: Jaccard 300 / 500 = 0.6; 512 numbers estimate it within 0.1 (4.6 standard errors).
        var options = new NearDuplicateOptions { Permutations = 512, ShingleWords = 1 };
        var (a, b) = (Enumerable.Range(0, 400), Enumerable.Range(100, 400));
        var minHash = new MinHash(options);
        var similarity = MinHash.Similarity(minHash.Signature(Words(a)), minHash.Signature(Words(b)));
        Assert.InRange(similarity, 0.5, 0.7);

        static List<ulong> Words(IEnumerable<int> numbers) => WordHashes.Of(string.Join(' ', numbers.Select(n => $"word{n}")));
    }

    [Fact]
    public void Decontaminate_RunOfWordsFromAnEvaluationSet_IsFoundInSpiteOfCaseAndPunctuation()
    {
        folder.Write("eval/test.jsonl",
            "{\"question\":\"Natalia sold clips to 48 of her friends in April, and then she "
                + "sold half as many clips in May.\",\"answer\":\"72\"}\n");
        var options = new CleaningOptions
        {
            Decontaminate = [new EvaluationSet("gsm8k", new DatasetRequest("eval", Split: "test"))], NGramWords = 13,
        };
        using var store = Clean(
        [
            "Solve: natalia sold clips -- to 48 of her friends in april and then she ran.",
            "Natalia sold clips to 48 of her friends in May, then left.",
            "Nothing of the kind stands here at all.",
        ], options);
        Assert.Equal(2, Texts(store).Count());
        Assert.Equal(("shares 13 words in a row with gsm8k", 1), (store.Manifest.Cleaning[0].Rule, store.Manifest.Cleaning[0].Removed));
    }

    [Fact]
    public void HumanEval_TheOriginalsRule_TakesDocstringsAndSolutionsButNotTrivialOnes()
    {
        var problems = new[]
        {
            ("def add(x, y):\n    \"\"\"Add two\n    numbers x and y\"\"\"\n", "    return x + y\n"),
            ("\"\"\"module\"\"\"\ndef f():\n    \"\"\" Second docstring \"\"\"\n", "    return sorted(things)[0]\n"),
            ("def g(strings):\n    '''Join them'''\n", "    return \" \".join(strings)\n"),
        };
        folder.Write("openai_humaneval/test.jsonl", string.Concat(problems.Select((p, i) =>
            new JsonObject { ["task_id"] = $"HumanEval/{i}", ["prompt"] = p.Item1, ["canonical_solution"] = p.Item2 }.ToJsonString()
                + "\n")));
        using var store = Clean(
        [
            "Write code to ADD TWO\n numbers   x and y please",
            "it says second docstring",
            "the module docstring alone",
            "def h(x, y): return x + y",
            "so we return sorted(things)[0] here",
            "return \" \".join(strings) is not excepted by the original",
        ], new CleaningOptions { HumanEval = new DatasetRequest("openai_humaneval", Split: "test") });
        Assert.Equal(["the module docstring alone", "def h(x, y): return x + y"], Texts(store));
        Assert.Equal(4, store.Manifest.Cleaning[0].Removed);
    }

    [Fact]
    public void Filters_LengthAndColumns_CountWhatTheyRemove()
    {
        folder.Write("train.jsonl", """
            {"text":"short","score":5}
            {"text":"long enough here","score":5}
            {"text":"long enough here too","score":3}
            {"text":"this is much longer than anybody would want","score":5}
            {"text":"no score at all"}
            """);
        using var store = Prepare(
            new CleaningOptions { MinCharacters = 6, MaxCharacters = 30, Columns = [ColumnFilter.Parse("score >= 4")] }, 1);
        Assert.Equal(["long enough here"], Texts(store));
        Assert.Equal([("longer than max_characters", 1), ("not score >= 4", 2), ("shorter than min_characters", 1)],
            store.Manifest.Cleaning.Select(count => (count.Rule, count.Removed)));
    }

    [Theory]
    [InlineData("lang == en", "{\"lang\":\"en\"}", true)]
    [InlineData("lang != en", "{\"lang\":\"en\"}", false)]
    [InlineData("lang != en", "{}", true)]
    [InlineData("n < 10", "{\"n\":9.5}", true)]
    [InlineData("n<10", "{\"n\":\"10\"}", false)]
    [InlineData("ok == true", "{\"ok\":true}", true)]
    public void Keeps_Condition_ComparesNumbersAsNumbers(string filter, string row, bool expected)
    {
        using var document = System.Text.Json.JsonDocument.Parse(row);
        Assert.Equal(expected, ColumnFilter.Parse(filter).Keeps(new RowColumns(document.RootElement, new SourceOptions())));
    }

    [Fact]
    public void Parse_ConditionWithoutOperator_SaysTheForm() => Assert.Contains("such as score >= 4",
        Assert.Throws<UserErrorException>(() => ColumnFilter.Parse("score about 4")).Message, StringComparison.Ordinal);

    private TokenStore Clean(string[] texts, CleaningOptions cleaning, int threads = 1)
    {
        folder.Write("train.jsonl", string.Concat(texts.Select(text => new JsonObject { ["text"] = text }.ToJsonString() + "\n")));
        return Prepare(cleaning, threads);
    }

    private TokenStore Prepare(CleaningOptions cleaning, int threads) => new DataPreparation(
        new PreparationOptions
        {
            Sources = [new DatasetPart(new DatasetRequest("train.jsonl"))],
            Packing = new PackingOptions { MaxLength = 2000, Strategy = PackingStrategy.None },
            Cleaning = cleaning,
            Threads = threads,
            CacheFolder = folder.File("cache"),
        }, new ByteEncoder(), [new LocalDatasetResolver(folder.Path)]).Prepare();

    private static IEnumerable<string> Texts(TokenStore store) => Enumerable.Range(0, store.Train.RowCount)
        .Select(row => Encoding.UTF8.GetString([.. store.Train.Row(row).TokenIds.SkipLast(1).Select(id => (byte)id)]));
}
