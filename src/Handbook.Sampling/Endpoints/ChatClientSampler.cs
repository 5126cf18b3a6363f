using System.Globalization;
using System.Text.Json.Nodes;
using Handbook.Chat;
using Handbook.Data.Examples;
using Microsoft.Extensions.AI;

namespace Handbook.Sampling.Endpoints;

/// <summary>Samples through any <see cref="IChatClient"/>: a request for each completion, a bounded number of them at a time.</summary>
public sealed class ChatClientSampler : ISampler
{
    // Requests in a row whose replies are no completions, however often they are asked: so many, and the server is to blame and not they.
    private const int Patience = 4;
    private const long MostLetters = 128L << 20;
    private readonly IChatClient client;
    private readonly Retries retries;
    private readonly int maxConcurrency;
    private int answered;
    private int unanswered;

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
    /// <param name="options">The endpoint.</param>
    /// <param name="clock">Times and waits.</param>
    /// <param name="note">Hears of long waits, and of what the server does not take.</param>
    /// <exception cref="UserErrorException">The key's environment variable is not set.</exception>
    public static ChatClientSampler Open(EndpointOptions options, TimeProvider clock, Action<string>? note = null) => new(
        new OpenAiChatClient(options, clock, note), new Retries(options.DisplayUrl, options.MaxRetries, options.Timeout, clock, note),
        options.MaxConcurrency);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<SampledPrompt>> SampleAsync(
        IReadOnlyList<SamplePrompt> prompts, SampleSettings settings, Action? finished = null, CancellationToken stop = default)
    {
        settings.Sampling.Check();
        var completions = prompts.Select(_ => new SampledCompletion?[settings.Count]).ToArray();
        var refusals = new string?[prompts.Count];
        var letters = 0L;
        EndpointException? last = null;
        var requests = Enumerable.Range(0, prompts.Count)
            .SelectMany(prompt => Enumerable.Range(0, settings.Count).Select(sample => (prompt, sample)));
        var limits = new ParallelOptions { MaxDegreeOfParallelism = maxConcurrency, CancellationToken = stop };
        var asking = Parallel.ForEachAsync(requests, limits, async (request, cancellation) =>
        {
            try
            {
                var completion = await AskAsync(prompts[request.prompt], settings, request.sample, cancellation).ConfigureAwait(false);
                completions[request.prompt][request.sample] = completion;
                Interlocked.Increment(ref answered);
                Interlocked.Exchange(ref unanswered, 0);
                if (Interlocked.Add(ref letters, completion.Text.Length) > MostLetters)
                    throw new UserErrorException(string.Create(CultureInfo.InvariantCulture,
                        $"the answers to {prompts.Count} prompts are longer than {MostLetters >> 20} million letters together; lower "
                            + $"prompts_per_save or max_new_tokens."));
            }
            catch (EndpointException error) when (error.IsRefusal)
            {
                refusals[request.prompt] = error.Message;
            }
            catch (EndpointException error) when (!error.IsTransient)
            {
                if (!IsRequestToBlame(error))
                    throw;
                (refusals[request.prompt], last) = (error.Message, error);
            }
            finished?.Invoke();
        });
        try
        {
            await asking.ConfigureAwait(false);
        }
        catch (EndpointException error)
        {
            throw Ended(error,
                [.. completions.TakeWhile(of => of.All(completion => completion is not null))
                    .Select(of => new SampledPrompt([.. of.Select(completion => completion!)]))]);
        }
        if (last is not null && Volatile.Read(ref answered) == 0)
            throw Ended(last, []);
        return
        [
            .. prompts.Select((_, i) => refusals[i] is { } refusal
                ? new SampledPrompt([], refusal) : new SampledPrompt([.. completions[i].Select(completion => completion!)])),
        ];
    }

    /// <inheritdoc/>
    public void Dispose() => client.Dispose();

    private bool IsRequestToBlame(EndpointException error) => error.MayBeRefusal && Interlocked.Increment(ref unanswered) < Patience;

    private static EndpointException Ended(EndpointException error, IReadOnlyList<SampledPrompt> finished) =>
        new(error.Message, error) { Status = error.Status, Finished = finished };

    private async Task<SampledCompletion> AskAsync(SamplePrompt prompt, SampleSettings settings, int sample, CancellationToken stop)
    {
        var seed = Seeds.Of(prompt.Seed, sample);
        var messages = (prompt.Turns.Messages ?? [new Message { Role = "user", Content = prompt.Turns.Text }]).Select(Message).ToList();
        var options = Options(settings, seed, prompt.Template.Tools);
        var response = await retries.RunAsync(seed, token => client.GetResponseAsync(messages, options, token), stop).ConfigureAwait(false);
        return new SampledCompletion(
            StopStrings.Cut(response.Text, settings.StopStrings).Trim(), response.FinishReason?.Value ?? "stop",
            (int?)response.Usage?.OutputTokenCount)
        {
            ToolCalls = response.Messages is [.., var said]
                ? said.AdditionalProperties?.GetValueOrDefault(ReplyReader.ToolCalls) as JsonArray : null,
        };
    }

    /// <summary>A turn with everything that the dataset has of it (calls of tools, parts): the client knows what servers take.</summary>
    private static ChatMessage Message(Message message)
    {
        var said = new ChatMessage(new ChatRole(message.Role), message.Text);
        foreach (var (name, value) in message.Extra ?? [])
        {
            if (value is not null)
                (said.AdditionalProperties ??= [])[name] = value;
        }
        return said;
    }

    private static ChatOptions Options(SampleSettings settings, ulong seed, JsonArray? tools)
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
        if (tools is { Count: > 0 })
            (options.AdditionalProperties ??= [])["tools"] = new JsonArray([.. tools.OfType<JsonObject>().Select(Tool)]);
        return options;
    }

    // Datasets have tools in the interface's form, or the functions alone.
    private static JsonNode Tool(JsonObject tool) =>
        tool.ContainsKey("function") ? tool.DeepClone() : new JsonObject { ["type"] = "function", ["function"] = tool.DeepClone() };
}
