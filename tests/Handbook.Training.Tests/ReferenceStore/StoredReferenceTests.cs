using Handbook.Autograd;
using Handbook.Data.Packing;
using Handbook.Models;
using Handbook.TestModels;
using Handbook.TestSupport;
using Handbook.Torch;
using Handbook.Training.Tests.Objectives;
using Handbook.Training.Loop;
using Handbook.Training.Objectives;
using Handbook.Training.Objectives.Preference;
using Handbook.Training.Options;
using Handbook.Training.Progress;
using Handbook.Training.ReferenceStore;

namespace Handbook.Training.Tests.ReferenceStore;

public sealed class StoredReferenceTests : IDisposable
{
    private const int RowsPerFile = 4;
    private static readonly PreferencePair[] Pairs = MakePairs(18);
    private readonly TemporaryFolder folder = new();
    private readonly CausalLanguageModel model = CausalLanguageModel.Create(TinyShape.Config(), 1, DType.Float32);
    private int loads;

    public void Dispose()
    {
        model.Dispose();
        folder.Dispose();
    }

    [Theory]
    [InlineData(DType.Float32, 1e-5)]
    [InlineData(DType.BFloat16, 0.05)]
    public void TokenLogps_AnyBatching_AreTheLiveOnes(DType dtype, double bound)
    {
        using var frozen = CausalLanguageModel.Create(TinyShape.Config(), 2, dtype);
        var live = new LiveReference(new CausalPolicy(frozen, ForwardOptions.Default));
        using var oneByOne = Open("a", new CausalPolicy(frozen, ForwardOptions.Default), tokensAtOnce: 1);
        using var together = Open("b", new CausalPolicy(frozen, ForwardOptions.Default));
        foreach (var pair in Pairs)
        {
            Assert.Equal(Logps(live, pair.ToSharedPrefix()), Logps(oneByOne, pair.ToSharedPrefix()));
            AssertNear(Logps(live, pair.ToSequences()), Logps(oneByOne, pair.ToSequences()), bound);
        }
        TokenBatch[] rows = [.. Pairs.Select(pair => pair.ToSharedPrefix())];
        Assert.Equal(Logps(live, TokenBatch.Concatenate(rows[..RowsPerFile])),
            Logps(together, TokenBatch.Concatenate(rows[..RowsPerFile])));
        var shuffled = TokenBatch.Concatenate([rows[9], rows[3], rows[17], rows[0]]);
        AssertNear(Logps(live, shuffled), Logps(together, shuffled), bound);
    }

    [Fact]
    public void Open_SecondTime_LoadsNoModelAndGivesEveryBetaTheSameLossAsALiveReference()
    {
        using var policy = CausalLanguageModel.Create(TinyShape.Config(), 3, DType.Float32);
        Open("run", Policy()).Dispose();
        using var shared = Open("run", Policy());
        Assert.Equal(1, loads);
        TokenBatch[] batch = [TokenBatch.Concatenate([.. Pairs[..RowsPerFile].Select(pair => pair.ToSharedPrefix())])];
        foreach (var beta in new[] { 0.01, 0.5 })
            Assert.Equal(Loss(policy, new LiveReference(Policy()), beta, batch), Loss(policy, shared, beta, batch));
    }

    [Fact]
    public void Open_StoppedHalfWay_GoesOnFromWhatIsWholeToTheSameBytes()
    {
        Open("whole", Policy()).Dispose();
        using var stop = new CancellationTokenSource();
        var stopping = new Listener((done, _) =>
        {
            if (done > 2 * RowsPerFile)
                stop.Cancel();
        });
        Assert.ThrowsAny<OperationCanceledException>(() => Open("cut", Policy(), stopping, tokensAtOnce: 1, stop.Token));
        var whole = Files("cut");
        Assert.Equal(2, whole.Count);

        var counting = new Listener((_, _) => { });
        Open("cut", Policy(), counting).Dispose();
        Assert.Equal(Pairs.Length - 2 * RowsPerFile, counting.Total);
        Assert.Contains("2 of 5 files are there", string.Join('\n', counting.Notes), StringComparison.Ordinal);
        Assert.Equal(Files("whole").Select(pair => pair.Key), Files("cut").Select(pair => pair.Key));
        foreach (var (name, bytes) in Files("whole").Skip(2))
            Assert.Equal(bytes, Files("cut")[name]);
        foreach (var (name, bytes) in whole)
            Assert.Equal(bytes, Files("cut")[name]);
    }

    [Theory]
    [InlineData("flip", "is damaged: its SHA-256 differs")]
    [InlineData("cut", "is damaged: its SHA-256 differs")]
    [InlineData("empty", "has 0 bytes")]
    [InlineData("other", "is no file of reference log-probabilities")]
    [InlineData("remove", "4 of 5 files are there")]
    [InlineData("aside", "4 of 5 files are there")]
    public void Open_DamagedFile_IsNamedAndComputedAgainAlone(string damage, string said)
    {
        Open("run", Policy()).Dispose();
        var before = Files("run");
        var file = before.Keys.ElementAt(2);
        var path = Path.Combine(Directory.GetDirectories(Path.Combine(folder.File("run"), "reference")).Single(), file);
        var bytes = before[file].ToArray();
        bytes[bytes.Length / 2] ^= 1;
        switch (damage)
        {
            case "flip": File.WriteAllBytes(path, bytes); break;
            case "cut": File.WriteAllBytes(path, before[file][..^7]); break;
            case "empty": File.WriteAllBytes(path, []); break;
            case "other": File.WriteAllBytes(path, new byte[100]); break;
            case "remove": File.Delete(path); break;
            default: File.Move(path, path + AtomicFile.AsideSuffix); break;
        }
        var listener = new Listener((_, _) => { });
        Open("run", Policy(), listener).Dispose();
        Assert.Contains(said, string.Join('\n', listener.Notes), StringComparison.Ordinal);
        Assert.Equal(RowsPerFile, listener.Total);
        Assert.Equal(before.Keys, Files("run").Keys);
        foreach (var (name, whole) in before)
            Assert.Equal(whole, Files("run")[name]);
    }

    [Fact]
    public void TokenLogps_SequenceOfOtherData_IsRefused()
    {
        using var store = Open("run", Policy());
        var stranger = new PreferencePair([5, 6], [7], [8, 9], 4711).ToSharedPrefix();
        Assert.Contains("examples 4711", Assert.Throws<InvalidOperationException>(() => store.TokenLogps(stranger)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void ReferenceKey_OtherWeightsDtypeOrData_IsAnotherStore()
    {
        model.Save(folder.File("one"), DType.Float32);
        model.Save(folder.File("two"), DType.Float32);
        var identity = FolderIdentity.Of(folder.File("one"));
        Assert.Equal(identity, FolderIdentity.Of(folder.File("two")));
        var weights = Path.Combine(folder.File("two"), "model.safetensors");
        var bytes = File.ReadAllBytes(weights);
        bytes[^1] ^= 1;
        File.WriteAllBytes(weights, bytes);
        Assert.NotEqual(identity, FolderIdentity.Of(folder.File("two")));

        var key = new ReferenceKey(identity, DType.Float32, "tokens");
        string[] names =
        [
            key.Name, (key with { DType = DType.BFloat16 }).Name, (key with { Data = "others" }).Name,
            (key with { Settings = "adapter" }).Name, (key with { Model = "other" }).Name,
        ];
        Assert.Equal(names.Length, names.Distinct().Count());
        Assert.Equal(key.Name, (key with { }).Name);
    }

    private static double[] Logps(IReferenceLogps reference, TokenBatch batch)
    {
        using var logps = reference.TokenLogps(batch);
        return logps.ToArray<double>();
    }

    private CausalPolicy Policy() => new(model, ForwardOptions.Default);

    private StoredReference Open(
        string name, IPolicy policy, ITrainingProgress? progress = null, int tokensAtOnce = 4096, CancellationToken stop = default)
    {
        var options = new ReferenceStoreOptions
        {
            Key = new ReferenceKey("model", DType.Float32, "data"),
            Sets = [Rows(Pairs[..13]), Rows(Pairs[13..])],
            CacheFolder = folder.File(name),
            RowsPerFile = RowsPerFile,
            TokensAtOnce = tokensAtOnce,
        };
        return StoredReference.Open(options, Load, progress ?? new SilentProgress(), TimeProvider.System, stop);

        ReferenceModel Load()
        {
            loads++;
            return new ReferenceModel(policy);
        }
    }

    private SortedDictionary<string, byte[]> Files(string name) => new(
        Directory.GetFiles(folder.File(name), "*.logps*", SearchOption.AllDirectories)
            .Where(path => path.EndsWith(".logps", StringComparison.Ordinal))
            .ToDictionary(path => Path.GetFileName(path), File.ReadAllBytes), StringComparer.Ordinal);

    private static double Loss(CausalLanguageModel policy, IReferenceLogps reference, double beta, TokenBatch[] batch)
    {
        var objective = new PreferenceObjective(new CausalPolicy(policy, ForwardOptions.Default), reference,
            new PreferenceOptions { Beta = beta });
        using var scope = new TensorScope();
        using var tape = new Tape(isRecording: false);
        return ObjectiveRun.Alone(objective, tape, batch[0]).Loss.Value.Item();
    }

    private static TrainingRows Rows(PreferencePair[] pairs) =>
        new(pairs.Length, pairs.Length, row => pairs[row].ToSharedPrefix(), row => pairs[row].TokenCount);

    private static void AssertNear(double[] expected, double[] actual, double bound)
    {
        Assert.Equal(expected.Length, actual.Length);
        Assert.All(expected.Zip(actual), pair => Assert.InRange(pair.Second, pair.First - bound, pair.First + bound));
    }

    /// <summary>Pairs of all shapes: without a prompt, with equal answers, with answers of one token.</summary>
    private static PreferencePair[] MakePairs(int count)
    {
        var random = new RandomStream(3);
        var next = 0ul;
        int[] Tokens(int length) => [.. Enumerable.Range(0, length).Select(_ => (int)(random.Bits(next++) % 2048))];
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            var chosen = Tokens(i % 4 == 1 ? 1 : 5 + 7 * i % 31);
            return new PreferencePair(Tokens(i % 5 == 2 ? 0 : 3 + 11 * i % 40), chosen, i % 7 == 3 ? chosen : Tokens(2 + 5 * i % 23), i);
        })];
    }

    /// <summary>Hears what is told.</summary>
    private sealed class Listener(Action<long, long> advanced) : ITrainingProgress
    {
        public List<string> Notes { get; } = [];

        public long Total { get; private set; }

        public void Begin(string title, IReadOnlyList<(string Name, string Value)> facts) { }

        public void Step(StepProgress step) { }

        public void Advance(string title, long done, long total)
        {
            Total = total;
            advanced(done, total);
        }

        public void Note(string text) => Notes.Add(text);

        public void End() { }
    }
}
