using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace Handbook.Training.Sampling.Endpoints;

/// <summary>
/// An <see cref="IChatClient"/> over any server with the OpenAI chat interface (vLLM, TGI, llama.cpp, Ollama, OpenAI itself). It asks
/// once; who uses it decides about asking again. Settings that only some servers know (<c>top_k</c>, <c>min_p</c>,
/// <c>repetition_penalty</c>) are sent only when they are set.
/// </summary>
public sealed class OpenAiChatClient : IChatClient
{
    /// <summary>Names of further settings in <see cref="ChatOptions.AdditionalProperties"/> that are sent as they are.</summary>
    public static IReadOnlyList<string> ExtraSettings { get; } = ["min_p", "repetition_penalty"];

    private const int MostBytes = 32 << 20;
    private const int MostReasonLetters = 300;
    private readonly EndpointOptions options;
    private readonly HttpClient http;
    private readonly string? key;

    /// <summary>Opens a client; nothing is asked yet.</summary>
    /// <exception cref="UserErrorException">The key's environment variable is not set.</exception>
    public OpenAiChatClient(EndpointOptions options)
    {
        this.options = options;
        key = options.ReadKey();
        // A redirect would carry the key elsewhere, and a proxy has no business between us and this machine.
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = !options.Url.IsLoopback, PooledConnectionLifetime = TimeSpan.FromMinutes(10) };
        http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan, MaxResponseContentBufferSize = MostBytes };
        if (key is not null)
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    private Uri Address => new UriBuilder(options.Url) { Path = options.Url.AbsolutePath.TrimEnd('/') + "/chat/completions" }.Uri;

    /// <inheritdoc/>
    /// <exception cref="EndpointException">The server refuses, fails, or answers what cannot be read.</exception>
    /// <exception cref="UserErrorException">The key is refused, or there is no such model.</exception>
    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        using var content = new StringContent(Body(messages, options).ToJsonString(), Encoding.UTF8, "application/json");
        try
        {
            using var response = await http.PostAsync(Address, content, cancellationToken).ConfigureAwait(false);
            var text = await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
            return response.IsSuccessStatusCode ? Read(text) : throw Failure(response, text);
        }
        catch (Exception error) when (error is HttpRequestException or IOException)
        {
            throw new EndpointException($"{this.options.DisplayUrl}: {Clean(error.Message)}", error) { IsTransient = true };
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        // Who samples needs whole answers only; a stream of one piece keeps the interface's promise.
        var response = await GetResponseAsync(messages, options, cancellationToken).ConfigureAwait(false);
        foreach (var update in response.ToChatResponseUpdates())
            yield return update;
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceKey is not null ? null
        : serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata("openai", options.Url, options.Model)
        : serviceType.IsInstanceOfType(this) ? this : null;

    /// <inheritdoc/>
    public void Dispose() => http.Dispose();

    private JsonObject Body(IEnumerable<ChatMessage> messages, ChatOptions? settings)
    {
        var body = new JsonObject
        {
            ["model"] = settings?.ModelId ?? options.Model,
            ["messages"] = new JsonArray([.. messages.Select(message => new JsonObject { ["role"] = message.Role.Value, ["content"] = message.Text })]),
        };
        void Set(string name, JsonNode? value)
        {
            if (value is not null)
                body[name] = value;
        }
        Set("max_tokens", settings?.MaxOutputTokens);
        Set("temperature", Round(settings?.Temperature));
        Set("top_p", Round(settings?.TopP));
        Set("top_k", settings?.TopK);
        Set("seed", settings?.Seed);
        if (settings?.StopSequences is { Count: > 0 } stops)
            body["stop"] = new JsonArray([.. stops.Select(stop => JsonValue.Create(stop))]);
        foreach (var name in ExtraSettings)
        {
            if (settings?.AdditionalProperties?.TryGetValue(name, out var value) == true)
                Set(name, (double?)value);
        }
        return body;
    }

    // ChatOptions has floats; 0.7 must not travel as 0.699999988.
    private static double? Round(float? value) => value is { } number ? (double)(decimal)number : null;

    private ChatResponse Read(string text)
    {
        try
        {
            var root = JsonNode.Parse(text) as JsonObject ?? throw new JsonException("not an object");
            var choice = root["choices"]?[0] ?? throw new JsonException("no choices");
            var content = choice["message"]?["content"]?.GetValue<string>() ?? "";
            return new ChatResponse(new ChatMessage(ChatRole.Assistant, content))
            {
                ModelId = root["model"] is JsonValue model && model.TryGetValue<string>(out var name) ? name : null,
                FinishReason = choice["finish_reason"] is JsonValue reason && reason.TryGetValue<string>(out var word) ? new ChatFinishReason(word) : null,
                Usage = root["usage"]?["completion_tokens"] is JsonValue count && count.TryGetValue<long>(out var tokens) ? new UsageDetails { OutputTokenCount = tokens } : null,
            };
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or ArgumentOutOfRangeException or FormatException)
        {
            throw new EndpointException($"{options.DisplayUrl}: the answer is not a chat completion: {Clean(error.Message)}", error) { IsTransient = true };
        }
    }

    private Exception Failure(HttpResponseMessage response, string text)
    {
        var status = response.StatusCode;
        var said = $"{options.DisplayUrl}: {(int)status} {Clean(response.ReasonPhrase ?? status.ToString())}{(Reason(text) is { Length: > 0 } reason ? ": " + reason : "")}";
        if (status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
            return new UserErrorException($"{said}. {(options.ApiKeyVariable is { } name ? $"The key comes from the environment variable {name}." : "api_key_env names the environment variable that holds the key.")}");
        if (status == HttpStatusCode.NotFound)
            return new UserErrorException($"{said}. The address must end before /chat/completions, and {options.Model} must be a model there.");
        return new EndpointException(said)
        {
            Status = status,
            IsTransient = status is HttpStatusCode.RequestTimeout or HttpStatusCode.Conflict or (HttpStatusCode)425 or HttpStatusCode.TooManyRequests || (int)status >= 500,
            IsRefusal = status is HttpStatusCode.BadRequest or HttpStatusCode.RequestEntityTooLarge or HttpStatusCode.UnprocessableEntity,
            RetryAfter = response.Headers.RetryAfter?.Delta,
        };
    }

    /// <summary>What a server says went wrong: the <c>message</c> of its JSON, else its first line.</summary>
    private string Reason(string text)
    {
        try
        {
            var root = JsonNode.Parse(text) as JsonObject;
            var message = root?["error"] is JsonObject error ? error["message"] : root?["error"] ?? root?["message"] ?? root?["detail"];
            if (message is JsonValue value && value.TryGetValue<string>(out var words))
                return Clean(words);
        }
        catch (JsonException)
        {
            // Not JSON: the first line tells as much.
        }
        return Clean(text);
    }

    /// <summary>One short line that cannot give the key away, whatever a server echoes.</summary>
    private string Clean(string text)
    {
        var line = text.Trim().Split('\n')[0].TrimEnd('\r', '.');
        if (key is not null)
            line = line.Replace(key, "***", StringComparison.Ordinal);
        return string.Concat(line.Take(MostReasonLetters).Where(letter => !char.IsControl(letter)));
    }
}
