using Handbook.Data.Examples;
using Handbook.Text.Conversations;
using Microsoft.Extensions.AI;

namespace Handbook.Training.Sampling.Endpoints;

/// <summary>Samples through any <see cref="IChatClient"/>: a request for each answer, a bounded number of them at a time.</summary>
public sealed class ChatClientSampler : ISampler
{
    private readonly IChatClient client;
    private readonly Retries retries;
    private readonly int maxConcurrency;

    /// <summary>Samples through a client, which this sampler then owns.</summary>
    /// <param name="client">The client.</param>
    /// <param name="retries">What to do about failures.</param>
    /// <param name="maxConcurrency">The most requests at a time.</param>
    public ChatClientSampler(IChatClient client, Retries retries, int maxConcurrency)
    {
        this.client = client;
        this.retries = retries;
        this.maxConcurrency = maxConcurrency;
    }

    /// <summary>A sampler over an OpenAI-compatible endpoint.</summary>
    /// <exception cref="UserErrorException">The key's environment variable is not set.</exception>
    public static ChatClientSampler Open(EndpointOptions options, TimeProvider clock) => new(
        new OpenAiChatClient(options), new Retries(options.DisplayUrl, options.MaxRetries, options.Timeout, clock), options.MaxConcurrency);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<SampledPrompt>> SampleAsync(
        IReadOnlyList<SamplePrompt> prompts, SampleSettings settings, Action? finished = null, CancellationToken stop = default)
    {
        settings.Sampling.Check();
        var answers = prompts.Select(_ => new SampledAnswer?[settings.Count]).ToArray();
        var refusals = new string?[prompts.Count];
        var requests = Enumerable.Range(0, prompts.Count).SelectMany(prompt => Enumerable.Range(0, settings.Count).Select(sample => (prompt, sample)));
        var limits = new ParallelOptions { MaxDegreeOfParallelism = maxConcurrency, CancellationToken = stop };
        await Parallel.ForEachAsync(requests, limits, async (request, cancellation) =>
        {
            var prompt = prompts[request.prompt];
            var seed = Seeds.Of(prompt.Seed, request.sample);
            try
            {
                answers[request.prompt][request.sample] = await AskAsync(prompt.Turns, settings, seed, cancellation).ConfigureAwait(false);
            }
            catch (EndpointException error) when (error.IsRefusal)
            {
                refusals[request.prompt] = error.Message;
            }
            finished?.Invoke();
        }).ConfigureAwait(false);
        return [.. prompts.Select((_, i) => refusals[i] is { } refusal ? new SampledPrompt([], refusal) : new SampledPrompt([.. answers[i].Select(answer => answer!)]))];
    }

    /// <inheritdoc/>
    public void Dispose() => client.Dispose();

    private async Task<SampledAnswer> AskAsync(Turns turns, SampleSettings settings, ulong seed, CancellationToken stop)
    {
        var messages = (turns.Messages ?? [new Message { Role = "user", Content = turns.Text }])
            .Select(message => new ChatMessage(new ChatRole(message.Role), message.Text)).ToList();
        var response = await retries.RunAsync(seed, token => client.GetResponseAsync(messages, Options(settings, seed), token), stop).ConfigureAwait(false);
        return new SampledAnswer(
            StopTexts.Cut(response.Text, settings.StopStrings).Trim(), response.FinishReason?.Value ?? "stop", (int?)response.Usage?.OutputTokenCount);
    }

    private static ChatOptions Options(SampleSettings settings, ulong seed)
    {
        var sampling = settings.Sampling;
        var options = new ChatOptions
        {
            MaxOutputTokens = settings.MaxNewTokens,
            Temperature = (float)sampling.Temperature,
            // Servers differ in the width of seeds; 31 bits fit all of them.
            Seed = (long)(seed & int.MaxValue),
            TopP = sampling.TopP < 1 ? (float)sampling.TopP : null,
            TopK = sampling.TopK > 0 ? sampling.TopK : null,
            StopSequences = settings.StopStrings.Count > 0 ? [.. settings.StopStrings] : null,
        };
        if (sampling.MinP > 0)
            (options.AdditionalProperties ??= [])["min_p"] = sampling.MinP;
        if (sampling.RepetitionPenalty != 1)
            (options.AdditionalProperties ??= [])["repetition_penalty"] = sampling.RepetitionPenalty;
        return options;
    }
}
