using Handbook.Data.Store;
using Handbook.Tokenizers;
using Handbook.Training.Checkpoints;
using Handbook.Training.Loop;
using Handbook.Training.Objectives;
using Handbook.Training.Options;
using Handbook.Training.Progress;

namespace Handbook.Training.Runs;

/// <summary>What a run is made of before its first step: everything that can be wrong with it has been looked at.</summary>
public sealed class RunParts : IDisposable
{
    private readonly RunReference reference;

    private RunParts(RunIdentity identity, Tokenizer tokenizer, RunModel model, TokenStore data, RunReference reference)
    {
        this.reference = reference;
        (Identity, Tokenizer, Model, Data) = (identity, tokenizer, model, data);
    }

    /// <summary>What decides its result.</summary>
    public RunIdentity Identity { get; }

    /// <summary>The tokenizer to save with the model.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>The model.</summary>
    public RunModel Model { get; }

    /// <summary>The prepared data.</summary>
    public TokenStore Data { get; }

    /// <summary>What is learned.</summary>
    public required IObjective Objective { get; init; }

    /// <summary>Measures on what is held out; null when nothing is.</summary>
    public Evaluator? Evaluator { get; init; }

    /// <summary>Loads, prepares and checks.</summary>
    /// <param name="options">The run.</param>
    /// <param name="folder">Whose folder it writes to.</param>
    /// <param name="from">The checkpoint that it goes on from; null for none.</param>
    /// <param name="progress">Hears what happens.</param>
    /// <param name="clock">Where time comes from.</param>
    /// <param name="stop">Ends it early.</param>
    /// <param name="world">All ranks; null for this one alone.</param>
    /// <exception cref="UserErrorException">A mistake in the recipe, the data or the files, or the folder is another run's.</exception>
    public static RunParts Open(
        RunOptions options, RunFolder folder, Checkpoint? from, ITrainingProgress progress, TimeProvider clock, CancellationToken stop,
        World? world = null)
    {
        var method = TrainingMethod.Of(options.Task);
        var tokenizer = RunTokenizer.Load(options);
        RunModel? model = null;
        TokenStore? data = null;
        RunReference? reference = null;
        try
        {
            model = RunModel.Open(options, method, tokenizer, progress);
            data = RunData.Prepare(options, tokenizer, model.Model.Config.MaxPositions, progress, stop, world);
            CheckTokenIds(data, model.Model.Config.VocabularySize);
            var identity = RunIdentity.Of(options, data.Train);
            if (options.Checkpoints.Train)
                folder.Refuse(identity, from);
            reference = RunReference.Open(options, method, model, data, progress, clock, stop);
            var objective = method.Objective(new MethodParts(model.Model, options, reference.Logps));
            var evaluator = data.Evaluation is { RowCount: > 0 } held
                ? new Evaluator(objective, method.Rows(held), options.Evaluation.PerDeviceBatchSize, clock, world) : null;
            if (evaluator is not null)
                BestCheckpoint.CheckMetric(options.Checkpoints, evaluator, stop);
            var taught = RunData.Taught(options, tokenizer, data);
            return new RunParts(identity, taught, model, data, reference) { Objective = objective, Evaluator = evaluator };
        }
        catch
        {
            reference?.Dispose();
            data?.Dispose();
            model?.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        reference.Dispose();
        Data.Dispose();
        Model.Dispose();
    }

    /// <summary>An id without an embedding would read beyond the table: said before the first step, with its place.</summary>
    private static void CheckTokenIds(TokenStore data, int vocabularySize)
    {
        var (largest, example) = (data.Manifest.LargestTokenId, data.Manifest.LargestTokenIdExample);
        if (largest >= vocabularySize)
            throw new UserErrorException($"{example}: token id {largest} has no embedding; the model has {vocabularySize}");
    }
}
