using Handbook.Chat;
using Handbook.Data.Examples;
using Handbook.Models.Generation;
using Handbook.Sampling.Endpoints;

namespace Handbook.Sampling.Tests.Endpoints;

/// <summary>The endpoint half of sampling, against a server on this machine with every fault that servers have.</summary>
public sealed class ChatClientSamplerTests
{
    private const string KeyVariable = "HANDBOOK_TEST_ENDPOINT_KEY";
    private const string Key = "sk-secret-0123456789";

    private static SamplePrompt Ask(string text, ulong seed = 1) => new(Turns.Of([new Message { Role = "user", Content = text }]), seed);

    private static ChatClientSampler Open(StubServer server, TimeProvider clock, EndpointOptions? options = null) =>
        ChatClientSampler.Open(
            (options ?? new EndpointOptions { Url = server.Url, Model = "m", MaxRetries = 3 }) with { Url = server.Url,
                Timeout = SkippingClock.Limit }, clock);

    private static async Task<SampledPrompt> OneAsync(StubServer server, TimeProvider? clock = null)
    {
        using var sampler = Open(server, clock ?? new SkippingClock());
        return (await sampler.SampleAsync([Ask("hello")], new SampleSettings()))[0];
    }

    [Fact]
    public async Task Sample_ManyPrompts_AnswersStandInPromptOrder()
    {
        using var server = new StubServer(request => StubReply.Completion($"{request.LastMessage} {request.Body["seed"]}"));
        using var sampler = Open(server, new SkippingClock());
        var prompts = Enumerable.Range(0, 20).Select(i => Ask($"p{i}", (ulong)i)).ToList();
        var first = await sampler.SampleAsync(prompts, new SampleSettings { Count = 3 });
        Assert.All(first.Index(),
            prompt => Assert.All(prompt.Item.Completions,
                answer => Assert.StartsWith($"p{prompt.Index} ", answer.Text, StringComparison.Ordinal)));
        Assert.Equal(60, first.SelectMany(prompt => prompt.Completions).Select(answer => answer.Text).Distinct().Count());
        // A prompt's seeds are its own: alone it gets the same answers.
        var alone = await sampler.SampleAsync([prompts[7]], new SampleSettings { Count = 3 });
        Assert.Equal(first[7].Completions, alone[0].Completions);
    }

    [Fact]
    public async Task Sample_Settings_TravelByTheInterfacesNames()
    {
        using var server = new StubServer(_ => StubReply.Completion("a"));
        using var sampler = Open(server, new SkippingClock());
        await sampler.SampleAsync([Ask("x")], new SampleSettings
        {
            MaxNewTokens = 17,
            StopStrings = ["END"],
            Sampling = new SamplingOptions { Temperature = 0.7, TopP = 0.95, TopK = 5, MinP = 0.1, RepetitionPenalty = 1.2 },
        });
        var body = server.Requests[0].Body;
        Assert.Equal("""0.7 0.95 5 0.1 1.2 17 ["END"] "m" """.Trim(), string.Join(' ', new[]
        {
            "temperature", "top_p", "top_k", "min_p", "repetition_penalty", "max_tokens", "stop", "model",
        }.Select(name => body[name]!.ToJsonString())));
        Assert.Null(server.Requests[0].Authorization);
    }

    [Fact]
    public async Task Sample_DefaultSettings_SendNothingThatSomeServersRefuse()
    {
        using var server = new StubServer(_ => StubReply.Completion("a"));
        await OneAsync(server);
        Assert.Equal(["max_tokens", "messages", "model", "seed", "temperature"],
            server.Requests[0].Body.Select(field => field.Key).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Sample_StopStringAndLength_AreCutAndTold()
    {
        using var server = new StubServer(_ => StubReply.Completion("one END two", "length", 9));
        using var sampler = Open(server, new SkippingClock());
        var answer = (await sampler.SampleAsync([Ask("x")], new SampleSettings { StopStrings = ["END"] }))[0].Completions[0];
        Assert.Equal(new SampledCompletion("one", "length", 9), answer);
        Assert.True(answer.IsTruncated);
    }

    public static TheoryData<string> PassingFaults() => ["429", "500", "503", "cut", "malformed", "not an object", "no choices", "408"];

    [Theory]
    [MemberData(nameof(PassingFaults))]
    public async Task Sample_FaultThatPasses_IsTriedAgain(string fault)
    {
        using var server = new StubServer(request => request.Number > 2 ? StubReply.Completion("fine") : fault switch
        {
            "cut" => new StubReply(200, "", Cut: true),
            "malformed" => new StubReply(200, "{\"choices\": [{\"mess"),
            "not an object" => new StubReply(200, "[1]"),
            "no choices" => new StubReply(200, "{\"choices\": []}"),
            _ => StubReply.Error(int.Parse(fault, System.Globalization.CultureInfo.InvariantCulture), "busy"),
        });
        var clock = new SkippingClock();
        Assert.Equal("fine", (await OneAsync(server, clock)).Completions[0].Text);
        Assert.Equal(3, server.Requests.Count);
        // A connection that was cut may be noticed only by the request that wants to use it again: one more try that no server sees.
        Assert.InRange(clock.Waits.Count, 2, fault == "cut" ? 3 : 2);
        Assert.InRange(clock.Waits[0], TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(1));
        Assert.InRange(clock.Waits[1], TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task Sample_RetryAfter_IsHonouredAndNeverCutShort()
    {
        using var server = new StubServer(request => request.Number switch
        {
            1 => StubReply.Error(429, "slow down", "20"),
            2 => StubReply.Error(429, "slow down", "75"),
            3 => StubReply.Error(503, "slow down", "0.25") with { Headers = [("retry-after-ms", "45500")] },
            _ => StubReply.Completion("fine"),
        });
        var clock = new SkippingClock();
        await OneAsync(server, clock);
        Assert.Equal([TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(75), TimeSpan.FromSeconds(45.5)], clock.Waits);
    }

    [Fact]
    public async Task Sample_AnswerThatNeverComes_RunsOutOfTimeAndIsTriedAgain()
    {
        var end = new TaskCompletionSource();
        var arrived = new TaskCompletionSource();
        using var server = new StubServer(request =>
        {
            if (request.Number > 1)
                return StubReply.Completion("fine");
            arrived.SetResult();
            return new StubReply(200, "", HoldUntil: end.Task);
        });
        Assert.Equal("fine", (await OneAsync(server, new SkippingClock(arrived.Task))).Completions[0].Text);
        Assert.Equal(2, server.Requests.Count);
        end.SetResult();
    }

    [Fact]
    public async Task Sample_ServerThatStaysDown_EndsWithOneLine()
    {
        using var server = new StubServer(_ => StubReply.Error(503, "no capacity\nat all"));
        var error = await Assert.ThrowsAsync<EndpointException>(() => OneAsync(server));
        Assert.Equal(
            $"{server.Url}: 503 Service Unavailable: no capacity (tried 4 times)", error.Message);
        Assert.Equal(4, server.Requests.Count);
    }

    [Fact]
    public async Task Sample_PromptThatIsRefused_IsToldAndTheOthersGoOn()
    {
        using var server = new StubServer(request => request.LastMessage == "too long"
            ? StubReply.Error(400, "maximum context length is 8") : StubReply.Completion("fine"));
        using var sampler = Open(server, new SkippingClock());
        var results = await sampler.SampleAsync([Ask("a"), Ask("too long"), Ask("b")], new SampleSettings { Count = 2 });
        Assert.Equal([2, 0, 2], results.Select(result => result.Completions.Count));
        Assert.Equal($"{server.Url}: 400 Bad Request: maximum context length is 8", results[1].Refusal);
    }

    [Fact]
    public async Task Sample_KeyThatIsRefused_IsNamedByItsVariableAndNeverPrinted()
    {
        Environment.SetEnvironmentVariable(KeyVariable, Key);
        using var server = new StubServer(request => StubReply.Error(401,
            $"Incorrect key {request.Authorization} {Key} {Key.Insert(5, "\a")}"));
        using var sampler = Open(server, new SkippingClock(),
            new EndpointOptions { Url = server.Url, Model = "m", ApiKeyVariable = KeyVariable });
        var error = await Assert.ThrowsAsync<UserErrorException>(() => sampler.SampleAsync([Ask("x")], new SampleSettings()));
        Assert.Equal("Bearer " + Key, server.Requests[0].Authorization);
        Assert.DoesNotContain(Key, error.ToString(), StringComparison.Ordinal);
        Assert.Contains(KeyVariable, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_KeyVariableThatIsNotSet_IsOneLine()
    {
        var options = new EndpointOptions
        {
            Url = new Uri("https://user:pw@host/v1?token=1"), Model = "m", ApiKeyVariable = "HANDBOOK_TEST_NO_SUCH_KEY",
        };
        var error = Assert.Throws<UserErrorException>(() => ChatClientSampler.Open(options, TimeProvider.System));
        Assert.Equal("api_key_env: the environment variable HANDBOOK_TEST_NO_SUCH_KEY is not set; it must hold the key of https://host/v1.",
            error.Message);
    }

    [Fact]
    public async Task Sample_Requests_NeverExceedTheBound()
    {
        var gate = new TaskCompletionSource();
        var seen = 0;
        using var server = new StubServer(_ =>
        {
            // The first three arrive together and wait for one another; a fourth could only come if the bound were broken.
            if (Interlocked.Increment(ref seen) == 3)
                gate.SetResult();
            return StubReply.Completion("a") with { HoldUntil = gate.Task };
        });
        using var sampler = Open(server, new SkippingClock(), new EndpointOptions { Url = server.Url, Model = "m", MaxConcurrency = 3 });
        await sampler.SampleAsync([.. Enumerable.Range(0, 12).Select(i => Ask($"p{i}"))], new SampleSettings());
        Assert.Equal(3, server.MostOpen);
    }

    [Fact]
    public async Task Sample_Stopped_EndsAtOnce()
    {
        using var stop = new CancellationTokenSource();
        using var server = new StubServer(_ =>
        {
            stop.Cancel();
            return StubReply.Error(503, "busy");
        });
        using var sampler = Open(server, new SkippingClock());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sampler.SampleAsync([Ask("x")],
            new SampleSettings(), stop: stop.Token));
    }
}
