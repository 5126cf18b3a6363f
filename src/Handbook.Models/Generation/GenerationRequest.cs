namespace Handbook.Models.Generation;

/// <summary>A prompt and what is wanted for it.</summary>
public sealed record GenerationRequest
{
    /// <summary>Token ids of the prompt, at least one.</summary>
    public required int[] Prompt { get; init; }

    /// <summary>Most tokens to generate.</summary>
    public int MaxNewTokens { get; init; } = 256;

    /// <summary>How tokens are chosen.</summary>
    public SamplingOptions Sampling { get; init; } = SamplingOptions.Greedy;

    /// <summary>Number of completions; they share the prompt's cache.</summary>
    public int SampleCount { get; init; } = 1;

    /// <summary>Tokens that end a completion; null takes the model's end-of-text tokens.</summary>
    public IReadOnlyList<int>? StopTokens { get; init; }

    /// <summary>Texts that end a completion; they need <see cref="BeginText"/>.</summary>
    public IReadOnlyList<string> StopStrings { get; init; } = [];

    /// <summary>
    /// Begins the text of a completion, for <see cref="StopStrings"/>: what it gives takes every token as it comes and returns the text
    /// that is certain with it, nothing while a character is incomplete.
    /// </summary>
    public Func<Func<int, string>>? BeginText { get; init; }

    /// <summary>Hears of every token as it comes: the sample's number and the token. The stop token is not told.</summary>
    public Action<int, int>? OnToken { get; init; }
}

/// <summary>Why a completion ended.</summary>
public enum FinishReason
{
    /// <summary>A stop token came.</summary>
    StopToken,

    /// <summary>A stop string came.</summary>
    StopString,

    /// <summary>The number of tokens asked for was reached.</summary>
    Length,
}

/// <summary>A completion.</summary>
/// <param name="Request">Number of the request.</param>
/// <param name="Sample">Number of the sample among the request's.</param>
/// <param name="Tokens">The tokens, without the stop token.</param>
/// <param name="TokenLogps">Log-probability of each token under the model's own distribution (temperature 1, nothing left out).</param>
/// <param name="Reason">Why it ended.</param>
public sealed record GenerationResult(
    int Request, int Sample, IReadOnlyList<int> Tokens, IReadOnlyList<double> TokenLogps, FinishReason Reason)
{
    /// <summary>The token that ended it; null when none did.</summary>
    public int? StopToken { get; init; }

    /// <summary>The text that ended it, which the tokens' text contains; null when none did.</summary>
    public string? StopString { get; init; }
}
