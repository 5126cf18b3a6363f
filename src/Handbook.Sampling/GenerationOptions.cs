using Handbook.Data.Sources;

namespace Handbook.Sampling;

/// <summary>What every maker of data is told.</summary>
public abstract record GenerationOptions
{
    /// <summary>Who completes prompts.</summary>
    public PolicyOptions Policy { get; init; } = new();

    /// <summary>Which prompts.</summary>
    public PromptOptions Prompts { get; init; } = new() { Dataset = new DatasetRequest("") };

    /// <summary>How prompts are completed.</summary>
    public SampleSettings Settings { get; init; } = new();

    /// <summary>The folder of the results.</summary>
    public string OutputDirectory { get; init; } = "";

    /// <summary>Seed of everything that is drawn.</summary>
    public int Seed { get; init; } = 42;

    /// <summary>Prompts after which what was made is made durable: what a kill can cost.</summary>
    public int PromptsPerBlock { get; init; } = 32;
}
