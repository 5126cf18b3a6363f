using Handbook.Data.Sources;
using Handbook.TestSupport;

namespace Handbook.Data.Tests.Sources;

/// <summary>Which files are which split where no card says so, as the datasets library decides it.</summary>
public sealed class SplitNamesTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    // Folder names come before file names.
    [InlineData("train/unit-test.jsonl train/part.jsonl test/part.jsonl", "train: train/part train/unit-test; test: test/part")]
    [InlineData("train/dev.jsonl eval/train.jsonl", "train: train/dev; test: eval/train")]
    [InlineData("a/trainset/x.jsonl a/my-valid/x.jsonl", "validation: a/my-valid/x")]
    [InlineData("a/train-set/x.jsonl a/my-valid/x.jsonl", "train: a/train-set/x; validation: a/my-valid/x")]
    [InlineData("data_2 train/x.jsonl", "train: data_2 train/x")]
    // Keywords stand alone in file names too.
    [InlineData("training_2.jsonl testing.jsonl my_train1.jsonl trainer.jsonl", "train: my_train1 training_2; test: testing")]
    [InlineData("my-train-1.jsonl trained.jsonl contest.jsonl", "train: my-train-1")]
    [InlineData("x.dev.jsonl x.train.jsonl", "train: x.train; validation: x.dev")]
    [InlineData("Train.jsonl other.jsonl", "train: Train other")]
    // Sharded names decide in data/, and only there.
    [InlineData("data/train_sft-00000-of-00002.jsonl data/train_sft-00001-of-00002.jsonl data/test-00000-of-00001-abc.jsonl train/x.jsonl",
        "test: data/test-00000-of-00001-abc; train_sft: data/train_sft-00000-of-00002 data/train_sft-00001-of-00002")]
    [InlineData("random-00000-of-00001.jsonl", "train: random-00000-of-00001")]
    [InlineData("b.jsonl a.jsonl c/d.jsonl", "train: a b c/d")]
    // What is hidden, describes a dataset or belongs to a model is no data.
    [InlineData("_raw/a.jsonl .cache/b.jsonl __pycache__/c.jsonl .d.jsonl __e.jsonl", "train: __e _raw/a")]
    [InlineData(
        "a.jsonl all_results.json train_results.json eval_results.json trainer_state.json handbook_run.json metrics.jsonl metrics.csv",
        "train: a")]
    [InlineData(
        "train.jsonl out/eval_results.json out/checkpoint-2/trainer_state.json out/checkpoint-2/checkpoint_manifest.json sweep.json",
        "train: train")]
    [InlineData("metrics.jsonl out/trainer_state.json out/metrics.jsonl", "train: metrics")]
    [InlineData("a.jsonl config.json dataset_info.json dataset_infos.json tokenizer.json deep/config.json", "train: a")]
    // One format has several endings; of formats the most frequent one counts.
    [InlineData("a.jsonl b.json c.ndjson d.jsonl.gz e.csv", "train: a b c d")]
    [InlineData("a.csv b.tsv c.csv d.json", "train: a b c")]
    [InlineData("a.parquet b.jsonl", "train: a")]
    [InlineData("a.txt b.jsonl", "train: b")]
    public void Open_FilesByName_GivesTheirSplits(string files, string expected)
    {
        // A space ends a name, but for the one name that holds one.
        foreach (var file in files.Replace("data_2 train", "data_2\u0001train", StringComparison.Ordinal).Split(' '))
            folder.Write("set/" + file.Replace('\u0001', ' '), "");
        var found = DatasetFolder.Open(folder.File("set"), null);
        Assert.Equal(expected,
            string.Join("; ", found.Splits.Select(split => $"{split}: {string.Join(' ', found.Files(split).Select(Shown))}")));
    }

    [Fact]
    public void Open_FilesInNoSplit_AreToldAndCanBeNamed()
    {
        foreach (var name in new[] { "train.jsonl", "odd.jsonl", "notes.txt" })
            folder.Write("set/" + name, "");
        var found = DatasetFolder.Open(folder.File("set"), null);
        Assert.Equal([$"{folder.File("set")}: 2 data files belong to no split and are left out, notes.txt for one"], found.Notes);
        Assert.Equal(["odd"], found.Files("odd").Select(Shown));
    }

    [Fact]
    public void Open_LinksThatLeadBack_AreNotFollowed()
    {
        folder.Write("set/a.jsonl", "");
        folder.Write("set/deep/b.jsonl", "");
        folder.Write("elsewhere/c.jsonl", "");
        Directory.CreateSymbolicLink(folder.File("set/self"), ".");
        Directory.CreateSymbolicLink(folder.File("set/deep/up"), "../..");
        Directory.CreateSymbolicLink(folder.File("set/other"), "../elsewhere");
        File.CreateSymbolicLink(folder.File("set/linked.jsonl"), "../elsewhere/c.jsonl");
        Assert.Equal(["a", "deep/b", "linked"], DatasetFolder.Open(folder.File("set"), null).Files("train").Select(Shown));
        Directory.CreateDirectory(folder.File("empty"));
        Directory.CreateSymbolicLink(folder.File("empty/self"), ".");
        Assert.Contains("Links to folders are not followed (self)",
            Assert.Throws<UserErrorException>(() => DatasetFolder.Open(folder.File("empty"), null)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_PipesInThePlaceOfFiles_AreRefusedWithoutWaiting()
    {
        if (OperatingSystem.IsWindows())
            return;
        folder.Write("set/other.jsonl", "");
        MakePipe(folder.File("set/train.jsonl"));
        foreach (var name in new[] { "set", "set/train.jsonl" })
        {
            var error = Assert.Throws<UserErrorException>(() =>
                RowSource.Open(new DatasetRequest(name), [new LocalDatasetResolver(folder.Path)], new SourceOptions()).Read().Count());
            Assert.Contains("a named pipe stands here", error.Message, StringComparison.Ordinal);
        }
        folder.Write("card/a.jsonl", "");
        MakePipe(folder.File("card/README.md"));
        Assert.Contains("a named pipe stands here",
            Assert.Throws<UserErrorException>(() => DatasetFolder.Open(folder.File("card"), null)).Message, StringComparison.Ordinal);
        folder.Write("saved/a.arrow", "");
        MakePipe(folder.File("saved/state.json"));
        Assert.Contains("a named pipe stands here",
            Assert.Throws<UserErrorException>(() => DatasetFolder.Open(folder.File("saved"), null)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_OnlyWhatARunWrote_SaysThatNoneOfItIsData()
    {
        folder.Write("set/all_results.json", "{}");
        Assert.StartsWith(
            $"{folder.File("set")}: no data file (all_results.json describes a dataset, a model or a run); known endings are ",
            Assert.Throws<UserErrorException>(() => DatasetFolder.Open(folder.File("set"), null)).Message, StringComparison.Ordinal);
    }

    private static void MakePipe(string path)
    {
        using var process = System.Diagnostics.Process.Start("mkfifo", [path]);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    private string Shown(string path)
    {
        var name = Path.GetRelativePath(folder.File("set"), path);
        foreach (var ending in new[] { ".gz", ".jsonl", ".json", ".ndjson", ".csv", ".tsv", ".txt", ".parquet" })
            name = name.EndsWith(ending, StringComparison.Ordinal) ? name[..^ending.Length] : name;
        return name;
    }
}
