using Handbook.Data.Store;
using Handbook.Models;
using Handbook.Models.Configuration;
using Handbook.Tokenizers;
using Handbook.Torch;
using Handbook.Training.Options;
using Handbook.Training.Progress;
using Handbook.Training.Runs;

namespace Handbook.Training.Planning;

/// <summary>A recipe's plan: its model's configuration, its data or a length in their place, and what there is of memory.</summary>
public sealed class RunPlan : IDisposable
{
    // Holes in the heap, logs, buffers of saving: what runs of two shapes held beyond the sum, 80 to 140 MB (benchmarks/RESULTS.md).
    internal const long RunBuffers = 80_000_000;
    private readonly RunOptions options;
    private readonly ModelConfig config;
    private readonly TokenStore? data;
    private readonly int tokens;
    private readonly long limit;
    private readonly int devices;

    private RunPlan(RunOptions options, ModelConfig config, TokenStore? data, int tokens, long? limit, int devices)
    {
        (this.options, this.config, this.data, this.tokens, this.devices) = (options, config, data, tokens, devices);
        this.limit = limit ?? ResidentMemory.Limit();
    }

    /// <summary>The model.</summary>
    public ModelConfig Config => config;

    /// <summary>Reads what the recipe names, and prepares its data as the run would; the run finds them ready.</summary>
    /// <param name="options">The run.</param>
    /// <param name="tokens">Tokens of a row; null takes the data's.</param>
    /// <param name="limit">Bytes of memory; null takes what this machine has free.</param>
    /// <param name="devices">Devices that the model is spread over.</param>
    /// <param name="progress">Hears how far the data is.</param>
    /// <param name="stop">Ends it early.</param>
    /// <exception cref="UserErrorException">A mistake in the recipe, the data or the files.</exception>
    public static RunPlan Open(
        RunOptions options, int? tokens, long? limit, int devices, ITrainingProgress progress, CancellationToken stop)
    {
        options = options with { Model = RunPrecision.Settle(options.Model, null) };
        var tokenizer = RunTokenizer.Load(options);
        var config = ConfigOf(options, tokenizer);
        var data = tokens is null
            ? RunData.Prepare(options, tokenizer, config.MaxPositions, progress, stop) : null;
        return new RunPlan(options, config, data, tokens ?? 0, limit, devices);
    }

    /// <summary>The recipe as it is.</summary>
    public StepPlan Of() => Of(options);

    /// <summary>
    /// What other settings would come to: those that fit first, of them the fastest first; then those that need least memory.
    /// </summary>
    /// <param name="stop">Ends it early.</param>
    public IReadOnlyList<(string Settings, StepPlan Plan)> Choices(CancellationToken stop)
    {
        var plans = new List<(string Settings, StepPlan Plan)>();
        foreach (var choice in PlanChoice.All)
        {
            stop.ThrowIfCancellationRequested();
            if (choice.Apply(options) is { } changed)
                plans.Add((choice.Settings(options), Of(changed)));
        }
        return
        [
            .. plans.OrderBy(one => one.Plan.IsTooLarge).ThenBy(one => one.Plan.IsTooLarge ? one.Plan.Peak : one.Plan.StepSeconds ?? 0),
        ];
    }

    /// <summary>The model that a run will have, with the tokens that its tokenizer adds.</summary>
    /// <exception cref="UserErrorException">A mistake in the files.</exception>
    internal static ModelConfig ConfigOf(RunOptions options, Tokenizer tokenizer)
    {
        // A model that is still to be downloaded can be planned for.
        var config = options.Model.NameOrPath is { } path && ModelFolder.ConfigAlone(path) is { } alone
            ? alone : RunVocabulary.Config(options, tokenizer);
        return config with { VocabularySize = Math.Max(config.VocabularySize, tokenizer.VocabSize) };
    }

    /// <inheritdoc/>
    public void Dispose() => data?.Dispose();

    private StepPlan Of(RunOptions changed)
    {
        var plan = Planner.Of(changed, config, data is null ? StepLoad.OfLength(changed, tokens) : StepLoad.Of(changed, data), limit);
        // Only now: the first steps bring libtorch's own buffers and the program's compiled code.
        AllocatorSettings.GiveBack();
        return plan.Beside(ResidentMemory.Current() + RunBuffers).Over(devices, config.Layers.Count);
    }
}
