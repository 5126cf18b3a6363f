using Handbook.Data.Cleaning;
using Handbook.Models.Generation;
using Handbook.Sampling;
using Handbook.Sampling.Constitutional;
using Handbook.Training.Options;

namespace Handbook.Recipes.Keys;

/// <summary>The records that keys fill, and where they stand in what a run or a maker of data is told.</summary>
internal static class OptionParts
{
    public static OptionPart<RunOptions, RunOptions> Run { get; } = new(run => run, (_, run) => run);

    public static OptionPart<RunOptions, ModelOptions> Model { get; } = new(run => run.Model, (run, part) => run with { Model = part });

    public static OptionPart<RunOptions, TokenizerOptions> Tokenizer { get; } =
        new(run => run.Tokenizer, (run, part) => run with { Tokenizer = part });

    public static OptionPart<RunOptions, DataOptions> TrainingData { get; } = new(run => run.Data, (run, part) => run with { Data = part });

    public static OptionPart<RunOptions, CleaningOptions> Cleaning { get; } =
        new(run => run.Data.Cleaning, (run, part) => run with { Data = run.Data with { Cleaning = part } });

    public static OptionPart<RunOptions, NearDuplicateOptions> Duplicates { get; } = new(run => run.Data.Cleaning.NearDuplicates,
        (run, part) => run with { Data = run.Data with { Cleaning = run.Data.Cleaning with { NearDuplicates = part } } });

    public static OptionPart<RunOptions, SequenceOptions> Sequences { get; } =
        new(run => run.Sequences, (run, part) => run with { Sequences = part });

    public static OptionPart<RunOptions, OptimizationOptions> Optimization { get; } =
        new(run => run.Optimization, (run, part) => run with { Optimization = part });

    public static OptionPart<RunOptions, ScheduleOptions> Schedule { get; } =
        new(run => run.Optimization.Schedule, (run, part) => run with { Optimization = run.Optimization with { Schedule = part } });

    public static OptionPart<RunOptions, EvaluationOptions> Evaluation { get; } =
        new(run => run.Evaluation, (run, part) => run with { Evaluation = part });

    public static OptionPart<RunOptions, CheckpointOptions> Checkpoints { get; } =
        new(run => run.Checkpoints, (run, part) => run with { Checkpoints = part });

    public static OptionPart<RunOptions, LoggingOptions> Logging { get; } =
        new(run => run.Logging, (run, part) => run with { Logging = part });

    public static OptionPart<RunOptions, HubOptions> Hub { get; } = new(run => run.Hub, (run, part) => run with { Hub = part });

    public static OptionPart<RunOptions, PreferenceOptions> Preference { get; } =
        new(run => run.Preference, (run, part) => run with { Preference = part });

    public static OptionPart<RunOptions, LoraOptions> Lora { get; } = new(run => run.Lora, (run, part) => run with { Lora = part });

    public static OptionPart<RunOptions, QuantizationOptions> Quantization { get; } =
        new(run => run.Quantization, (run, part) => run with { Quantization = part });

    public static OptionPart<GenerationOptions, GenerationOptions> Generation { get; } = new(made => made, (_, made) => made);

    public static OptionPart<GenerationOptions, PolicyOptions> Policy { get; } =
        new(made => made.Policy, (made, part) => made with { Policy = part });

    public static OptionPart<GenerationOptions, TokenizerOptions> PolicyTokenizer { get; } =
        new(made => made.Policy.Tokenizer, (made, part) => made with { Policy = made.Policy with { Tokenizer = part } });

    public static OptionPart<GenerationOptions, PromptOptions> Prompts { get; } =
        new(made => made.Prompts, (made, part) => made with { Prompts = part });

    public static OptionPart<GenerationOptions, SampleSettings> Settings { get; } =
        new(made => made.Settings, (made, part) => made with { Settings = part });

    public static OptionPart<GenerationOptions, SamplingOptions> Drawing { get; } =
        new(made => made.Settings.Sampling, (made, part) => made with { Settings = made.Settings with { Sampling = part } });

    public static OptionPart<GenerationOptions, SampleOptions> Sample { get; } = new(made => made as SampleOptions, (_, sample) => sample);

    public static OptionPart<GenerationOptions, SelectionOptions> Choosing { get; } =
        new(made => (made as SampleOptions)?.Selection, (made, part) => (SampleOptions)made with { Selection = part });

    public static OptionPart<GenerationOptions, ConstitutionOptions> Constitution { get; } =
        new(made => made as ConstitutionOptions, (_, made) => made);
}
