using Handbook.TestModels;
using Handbook.Training.Options;
using Handbook.Training.Progress;
using Handbook.Training.Runs;

namespace Handbook.Training.Tests.Runs;

/// <summary>A tiny model, a text and whole runs over them, with whoever watches.</summary>
internal sealed class RunCase : IDisposable
{
    public RunCase()
    {
        Environment.SetEnvironmentVariable("HANDBOOK_CACHE", Chat.File("cache"));
        Text = Chat.Write("text.jsonl",
            string.Concat(Enumerable.Range(0, 24).Select(i => $$"""{"text": "hello there how are you today my friend {{i}}"}""" + "\n")));
    }

    public TinyChat Chat { get; } = new();

    public string Text { get; }

    /// <summary>Eight steps over the text, evaluated every four on the same rows, in one row a batch.</summary>
    public RunOptions Options(string output) => new()
    {
        Task = "cpt",
        Model = new ModelOptions { NameOrPath = Chat.Policy, Precision = Precision.Float32 },
        Data = new DataOptions
        {
            Sources = [new DatasetSource(Text, null, "train", null, 1)],
            TestSource = new DatasetSource(Text, null, "train", null, 1),
        },
        Sequences = new SequenceOptions { MaxLength = 32 },
        Optimization = new OptimizationOptions { LearningRate = 1e-3, MaxSteps = 8, PerDeviceBatchSize = 2 },
        Evaluation = new EvaluationOptions { Strategy = IntervalStrategy.Steps, Interval = new StepInterval(4), PerDeviceBatchSize = 4 },
        Checkpoints = new CheckpointOptions
        {
            OutputDirectory = Chat.File(output), Strategy = IntervalStrategy.Steps, Interval = new StepInterval(100),
        },
        Logging = new LoggingOptions { ReportTo = [], Interval = new StepInterval(1) },
    };

    public static RunResult Run(RunOptions options, ITrainingProgress? progress = null, CancellationToken stop = default) =>
        new TrainingRun(options, [], progress ?? new SilentProgress(), TimeProvider.System).Execute(stop);

    /// <summary>The bytes of the final weights.</summary>
    public byte[] Weights(string output) => File.ReadAllBytes(Path.Combine(Chat.File(output), "model.safetensors"));

    public void Dispose()
    {
        Environment.SetEnvironmentVariable("HANDBOOK_CACHE", null);
        Chat.Dispose();
    }
}

/// <summary>Runs that share the process's cache folder, one after the other.</summary>
[CollectionDefinition(nameof(RunCase))]
public sealed class RunCases;

/// <summary>Keeps what is said, and asks the run to stop at the first event that fits.</summary>
internal sealed class StoppingProgress(Func<string, bool> stopsAt) : ITrainingProgress, IDisposable
{
    private readonly CancellationTokenSource source = new();

    public CancellationToken Token => source.Token;

    public List<string> Notes { get; } = [];

    public void Begin(string title, IReadOnlyList<(string Name, string Value)> facts) => See($"begin {title}");

    public void Step(StepProgress step) => See($"step {step.Step}");

    public void Advance(string title, long done, long total) => See($"{title} {done}");

    public void Note(string text)
    {
        Notes.Add(text);
        See("note " + text);
    }

    public void End() { }

    public void Dispose() => source.Dispose();

    private void See(string what)
    {
        if (stopsAt(what))
            source.Cancel();
    }
}
