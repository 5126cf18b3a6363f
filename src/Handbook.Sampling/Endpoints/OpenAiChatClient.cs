using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Handbook.Sampling.Endpoints;

/// <summary>
/// An <see cref="IChatClient"/> over any server with the OpenAI chat interface (vLLM, TGI, llama.cpp, Ollama, OpenAI itself). It asks
/// once, or again at once in the form that a server says it wants; who uses it decides about other failures. Settings that only some
/// servers know (<c>top_k</c>, <c>min_p</c>, <c>repetition_penalty</c>) are sent only when they are set.
/// </summary>
public sealed class OpenAiChatClient : IChatClient
{
    private const int MostBytes = 32 << 20;
    private const long MostBytesTogether = 256L << 20;
    private const int MostReasonLetters = 300;
    private const int Chunk = 64 << 10;
    private const int ShortestSecret = 12;
    private readonly EndpointOptions options;
    private readonly HttpClient http;
    private readonly EndpointFailure failures;
    private readonly Action<string>? note;
    private readonly string? key;
    private RequestForm form = new();
    private long bytesRead;

    /// <summary>Opens a client; nothing is asked yet.</summary>
    /// <param name="options">The endpoint.</param>
    /// <param name="clock">The time, for servers that ask to wait until one.</param>
    /// <param name="note">Hears what the server does not take.</param>
    /// <param name="transport">How requests travel; null for the network.</param>
    /// <exception cref="UserErrorException">The key's environment variable is not set, or holds what is no key.</exception>
    public OpenAiChatClient(
        EndpointOptions options, TimeProvider? clock = null, Action<string>? note = null, HttpMessageHandler? transport = null)
    {
        this.options = options;
        this.note = note;
        key = options.ReadKey();
        failures = new EndpointFailure(options, Clean, clock ?? TimeProvider.System);
        // A redirect would carry the key elsewhere, and a proxy has no business between us and this machine.
        transport ??= new SocketsHttpHandler
        {
            AllowAutoRedirect = false, UseProxy = !options.Url.IsLoopback, PooledConnectionLifetime = TimeSpan.FromMinutes(10),
            AutomaticDecompression = DecompressionMethods.All,
        };
        http = new HttpClient(transport) { Timeout = Timeout.InfiniteTimeSpan };
        if (key is not null)
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    /// <inheritdoc/>
    /// <exception cref="EndpointException">The server refuses, fails, or answers what cannot be read.</exception>
    /// <exception cref="UserErrorException">The key is refused, there is no such model, or the server sends elsewhere.</exception>
    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var asked = messages as IReadOnlyCollection<ChatMessage> ?? [.. messages];
        while (true)
        {
            var written = Volatile.Read(ref form);
            using var content = new StringContent(written.Body(this.options.Model, asked, options).ToJsonString(),
                Encoding.UTF8, "application/json");
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, this.options.ChatAddress) { Content = content };
                using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken)
                    .ConfigureAwait(false);
                var text = await ReadAsync(response, MostOf(options), cancellationToken).ConfigureAwait(false);
                var (answer, fault) = Understand(text, response.IsSuccessStatusCode);
                if (answer is not null)
                    return answer;
                if (fault is null || written.After(fault) is not { } other)
                    throw failures.Of(response, fault);
                // Of several requests that were refused alike only one tells.
                if (Interlocked.CompareExchange(ref form, other.Form, written) == written)
                    note?.Invoke($"{this.options.DisplayUrl} {other.Note}");
            }
            catch (Exception error) when (error is HttpRequestException or IOException or InvalidDataException or InvalidOperationException
                or NotSupportedException)
            {
                throw new EndpointException($"{this.options.DisplayUrl}: {Clean(error.GetBaseException().Message)}", error)
                {
                    IsTransient = true,
                };
            }
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
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

    /// <summary>What an answer can take at most: its tokens, written with escapes, and as much again as servers put around it.</summary>
    private static int MostOf(ChatOptions? settings) =>
        (int)Math.Min(MostBytes, (1L << 20) + 256L * (settings?.MaxOutputTokens ?? MostBytes));

    /// <summary>
    /// The body as text. Replies are bounded one by one and, as they come, together: a reply that is too long is dropped, not read on.
    /// </summary>
    private async Task<string> ReadAsync(HttpResponseMessage response, int most, CancellationToken stop)
    {
        using var body = new MemoryStream();
        var stream = await response.Content.ReadAsStreamAsync(stop).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            try
            {
                var chunk = new byte[Chunk];
                for (int count; (count = await stream.ReadAsync(chunk, stop).ConfigureAwait(false)) > 0;)
                {
                    body.Write(chunk, 0, count);
                    var together = Interlocked.Add(ref bytesRead, count);
                    if (body.Length > most)
                        throw new EndpointException(string.Create(CultureInfo.InvariantCulture,
                            $"{options.DisplayUrl}: the reply is longer than {most >> 10} KiB, which no answer of so many tokens is"))
                        {
                            MayBeRefusal = true,
                        };
                    if (together > MostBytesTogether)
                        throw new EndpointException(string.Create(CultureInfo.InvariantCulture,
                            $"{options.DisplayUrl}: the replies that come at a time are longer than {MostBytesTogether >> 20} MiB "
                                + $"together; lower max_concurrency")) { IsTransient = true };
                }
                var text = ReplyText.Decode(body.GetBuffer().AsSpan(0, (int)body.Length), response.Content.Headers.ContentType?.CharSet);
                // A server that sends the key back must not get it into files; words such as EMPTY, which stand for no key, are left alone.
                return key is { Length: >= ShortestSecret } ? text.Replace(key, "***", StringComparison.Ordinal) : text;
            }
            finally
            {
                Interlocked.Add(ref bytesRead, -body.Length);
            }
        }
    }

    /// <summary>The answer that a reply holds, or its fault; neither when it says nothing.</summary>
    private (ChatResponse? Answer, ServerFault? Fault) Understand(string text, bool isSuccess)
    {
        try
        {
            using var document = JsonDocument.Parse(ReplyText.WithoutHalfPairs(text));
            if (ServerFault.Find(document.RootElement) is { } fault)
                return (null, fault);
            return isSuccess ? (ReplyReader.Read(document.RootElement), null) : (null, null);
        }
        catch (JsonException error)
        {
            if (!isSuccess)
                return (null, ServerFault.Of(text));
            var found = Clean(text) is { Length: > 0 } line ? $"; it begins with: {line[..Math.Min(line.Length, 80)]}" : "; it is empty";
            throw new EndpointException(
                $"{options.DisplayUrl}: the answer is not a chat completion: {Clean(BrokenJson.Explain(error))}{found}", error)
            {
                IsTransient = true, MayBeRefusal = true,
            };
        }
    }

    /// <summary>One short line that cannot give the key away, whatever a server echoes.</summary>
    private string Clean(string text)
    {
        // Control characters go first: between its letters they would hide a key from the search for it.
        var line = string.Concat(text.Trim().Split('\n')[0].Where(letter => !char.IsControl(letter))).TrimEnd('.');
        line = key is null ? line : line.Replace(key, "***", StringComparison.Ordinal);
        return line[..Math.Min(line.Length, MostReasonLetters)];
    }
}
