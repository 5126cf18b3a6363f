using System.Text.Json.Nodes;
using Handbook.Chat;
using Handbook.Data.Examples;
using Handbook.Models.Generation;

namespace Handbook.Sampling;

/// <summary>Completes prompts: with a model on this machine, or with one behind an endpoint.</summary>
public interface ISampler : IDisposable
{
    /// <summary>Completes prompts.</summary>
    /// <param name="prompts">What to complete.</param>
    /// <param name="settings">How, for all of them.</param>
    /// <param name="finished">Hears of every completion, from any thread.</param>
    /// <param name="stop">Ends it early.</param>
    /// <returns>For each prompt its completions, in the order of the prompts whatever was done first.</returns>
    /// <exception cref="Endpoints.EndpointException">An endpoint failed for good.</exception>
    /// <exception cref="UserErrorException">The settings are out of range, or the endpoint refuses the key.</exception>
    Task<IReadOnlyList<SampledPrompt>> SampleAsync(
        IReadOnlyList<SamplePrompt> prompts, SampleSettings settings, Action? finished = null, CancellationToken stop = default);
}

/// <summary>A prompt to complete.</summary>
/// <param name="Turns">Messages for the chat template, or a plain text that is continued as it stands.</param>
/// <param name="Seed">Decides, with the sample's number, what is drawn; results depend on nothing else that runs.</param>
public sealed record SamplePrompt(Turns Turns, ulong Seed)
{
    /// <summary>Tools and variables for the chat template, of a row that has some.</summary>
    public TemplateInputs Template { get; init; } = TemplateInputs.None;
}

/// <summary>How prompts are completed.</summary>
public sealed record SampleSettings
{
    /// <summary>Completions a prompt.</summary>
    public int Count { get; init; } = 1;

    /// <summary>The most tokens of a completion.</summary>
    public int MaxNewTokens { get; init; } = 256;

    /// <summary>How tokens are chosen; its seed is not read, since every prompt has its own.</summary>
    public SamplingOptions Sampling { get; init; } = new();

    /// <summary>Texts that end a completion and are not part of it.</summary>
    public IReadOnlyList<string> StopStrings { get; init; } = [];
}

/// <summary>What became of a prompt.</summary>
/// <param name="Completions">The completions by sample; none when it was refused.</param>
/// <param name="Refusal">Why it cannot be completed (it is too long, the endpoint does not take it); null when it was.</param>
public sealed record SampledPrompt(IReadOnlyList<SampledCompletion> Completions, string? Refusal = null);

/// <summary>One completion.</summary>
/// <param name="Text">Its text, without what ended it.</param>
/// <param name="FinishReason">By the names of the OpenAI interface: <c>stop</c>,
/// or <c>length</c> for a completion that was cut off.</param>
/// <param name="Tokens">Number of tokens; null where an endpoint does not say.</param>
/// <param name="Logp">Log-probability of the whole completion under the model; null from an endpoint.</param>
public sealed record SampledCompletion(string Text, string FinishReason, int? Tokens = null, double? Logp = null)
{
    /// <summary>The finish reason of a completion that reached its most tokens.</summary>
    public const string CutOff = "length";

    /// <summary>The finish reason of a completion that a server's filter ended.</summary>
    public const string Filtered = "content_filter";

    /// <summary>
    /// Tools that an endpoint's model called, as messages of datasets have them; null when it called none. A model here calls them
    /// in its text.
    /// </summary>
    public JsonArray? ToolCalls { get; init; }

    /// <summary>True when the completion did not end by itself.</summary>
    public bool IsTruncated => FinishReason is CutOff or Filtered;

    /// <summary>True when nothing was said and no tool called.</summary>
    public bool IsEmpty => Text.Length == 0 && ToolCalls is null;

    /// <summary>What was said and called as one text: equal ones are one completion.</summary>
    public string Said => ToolCalls is null ? Text : (Text.Length > 0 ? Text + "\n" : "") + ToolCalls.ToJsonString();

    /// <summary>The completion as a turn.</summary>
    public Message AsMessage() => new()
    {
        Role = "assistant",
        Content = Text,
        Extra = ToolCalls is null ? null : new JsonObject { ["tool_calls"] = ToolCalls.DeepClone() },
    };
}
