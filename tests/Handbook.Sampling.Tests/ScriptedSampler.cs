namespace Handbook.Sampling.Tests;

/// <summary>Says what the test says, and remembers what it was asked.</summary>
internal sealed class ScriptedSampler(Func<SamplePrompt, string> say) : ISampler
{
    public List<SamplePrompt> Asked { get; } = [];

    public Task<IReadOnlyList<SampledPrompt>> SampleAsync(
        IReadOnlyList<SamplePrompt> prompts, SampleSettings settings, Action? finished = null, CancellationToken stop = default)
    {
        Asked.AddRange(prompts);
        return Task.FromResult<IReadOnlyList<SampledPrompt>>(
            [.. prompts.Select(prompt => new SampledPrompt([.. Enumerable.Range(0, settings.Count)
                .Select(_ => new SampledCompletion(say(prompt), "stop"))]))]);
    }

    public void Dispose()
    {
        // Nothing is held.
    }
}
