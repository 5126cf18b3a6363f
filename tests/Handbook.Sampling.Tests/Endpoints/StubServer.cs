using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace Handbook.Sampling.Tests.Endpoints;

/// <summary>A request that the stub received.</summary>
internal sealed record StubRequest(int Number, JsonObject Body, string? Authorization)
{
    public string LastMessage => Body["messages"]!.AsArray()[^1]!["content"]!.GetValue<string>();
}

/// <summary>What the stub does with a request: a status with a body, or a connection that is cut.</summary>
internal sealed record StubReply(int Status, string Body, string? RetryAfter = null, bool Cut = false, Task? HoldUntil = null)
{
    /// <summary>The body as it travels; null for the text in UTF-8.</summary>
    public byte[]? Bytes { get; init; }

    /// <summary>More headers.</summary>
    public IReadOnlyList<(string Name, string Value)> Headers { get; init; } = [];

    public static StubReply Completion(string text, string finish = "stop", int tokens = 3) => new(200, new JsonObject
    {
        ["id"] = "x",
        ["choices"] = new JsonArray(new JsonObject
        {
            ["index"] = 0, ["message"] = new JsonObject { ["role"] = "assistant", ["content"] = text }, ["finish_reason"] = finish,
        }),
        ["usage"] = new JsonObject { ["completion_tokens"] = tokens },
    }.ToJsonString());

    public static StubReply Error(int status, string message, string? retryAfter = null) =>
        new(status, new JsonObject { ["error"] = new JsonObject { ["message"] = message } }.ToJsonString(), retryAfter);
}

/// <summary>A server with the OpenAI chat interface on this machine, which does what the test says.</summary>
internal sealed class StubServer : IDisposable
{
    private readonly HttpListener listener = new();
    private readonly Func<StubRequest, StubReply> reply;
    private readonly ConcurrentQueue<StubRequest> requests = [];
    private int count;
    private int open;
    private int mostOpen;

    public StubServer(Func<StubRequest, StubReply> reply)
    {
        this.reply = reply;
        Url = new Uri($"http://127.0.0.1:{FreePort()}/v1");
        listener.Prefixes.Add(Url.AbsoluteUri + "/");
        listener.Start();
        _ = Task.Run(ServeAsync);
    }

    public Uri Url { get; }

    public IReadOnlyList<StubRequest> Requests => [.. requests.OrderBy(request => request.Number)];

    public int MostOpen => Volatile.Read(ref mostOpen);

    public void Dispose() => listener.Close();

    private async Task ServeAsync()
    {
        while (listener.IsListening)
        {
            HttpListenerContext context;
            try { context = await listener.GetContextAsync(); }
            catch (Exception error) when (error is HttpListenerException or ObjectDisposedException) { return; }
            _ = Task.Run(() => HandleAsync(context));
        }
    }

    private async Task HandleAsync(HttpListenerContext context)
    {
        using var reader = new StreamReader(context.Request.InputStream);
        var request = new StubRequest(Interlocked.Increment(ref count), JsonNode.Parse(await reader.ReadToEndAsync())!.AsObject(),
            context.Request.Headers["Authorization"]);
        requests.Enqueue(request);
        var now = Interlocked.Increment(ref open);
        for (var most = mostOpen; now > most && Interlocked.CompareExchange(ref mostOpen, now, most) != most; most = mostOpen) { }
        var answer = context.Request.Url!.AbsolutePath == "/v1/chat/completions" ? reply(request) : StubReply.Error(404, "no such path");
        if (answer.HoldUntil is { } hold)
            await hold;
        Interlocked.Decrement(ref open);
        if (answer.Cut)
        {
            context.Response.Abort();
            return;
        }
        context.Response.StatusCode = answer.Status;
        if (answer.RetryAfter is not null)
            context.Response.Headers["Retry-After"] = answer.RetryAfter;
        foreach (var (name, value) in answer.Headers)
            context.Response.Headers[name] = value;
        try { context.Response.Close(answer.Bytes ?? Encoding.UTF8.GetBytes(answer.Body), willBlock: false); }
        catch (Exception error) when (error is HttpListenerException or IOException
            or ObjectDisposedException) { /* Who asked has read enough. */ }
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
