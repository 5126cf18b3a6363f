using System.Text;
using System.Text.Json.Nodes;
using Handbook.Chat;
using Handbook.Data.Examples;
using Handbook.Models.Generation;
using Handbook.Sampling.Endpoints;

namespace Handbook.Sampling.Tests.Endpoints;

/// <summary>Whatever a server replies is an answer, a try more, or one line with the reason.</summary>
public sealed class ServerRepliesTests
{
    private static SamplePrompt Ask(string text = "hello") => new(Turns.Of([new Message { Role = "user", Content = text }]), 1);

    private static ChatClientSampler Open(
        StubServer server, TimeProvider? clock = null, Action<string>? note = null, int retries = 2) => ChatClientSampler.Open(
        new EndpointOptions { Url = server.Url, Model = "m", MaxRetries = retries, MaxConcurrency = 1, Timeout = SkippingClock.Limit },
        clock ?? new SkippingClock(), note);

    private static async Task<SampledPrompt> OneAsync(Func<StubRequest, StubReply> reply, SkippingClock? clock = null)
    {
        using var server = new StubServer(reply);
        using var sampler = Open(server, clock);
        return (await sampler.SampleAsync([Ask()], new SampleSettings()))[0];
    }

    private static StubReply Raw(string json) => new(200, json);

    private static string Message(string message, string more = "") =>
        $$"""{"choices": [{"message": {{message}}, "finish_reason": "stop"}]{{more}}}""";

    public static TheoryData<string, string> Contents() => new()
    {
        { """{"role": "assistant", "content": "plain"}""", "plain" },
        { """{"content": [{"type": "text", "text": "one "}, {"type": "text", "text": "two"}]}""", "one two" },
        { """{"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "said"}]}""",
            "said" },
        { """{"content": ["a", "b"]}""", "ab" },
        { """{"content": {"type": "text", "text": "object"}}""", "object" },
        { """{"content": [{"type": "output_text", "text": "new form"}]}""", "new form" },
        { """{"content": []}""", "" },
        { """{"content": null}""", "" },
        { """{"role": "assistant"}""", "" },
        { """{"content": null, "refusal": "I would rather not."}""", "I would rather not." },
        { """{"content": "first", "content": "last"}""", "last" },
        { """{"content": "half \ud83d a pair, \ude00 and a whole \ud83d\ude00, and \\ud83d spelled"}""",
            "half \uFFFD a pair, \uFFFD and a whole \ud83d\ude00, and \\ud83d spelled" },
        { """{"content": "x", "reasoning_content": "\udc00", "\ud800": 1}""", "x" },
    };

    [Theory]
    [MemberData(nameof(Contents))]
    public async Task Content_OfEveryType_IsRead(string message, string expected) =>
        Assert.Equal(expected, (await OneAsync(_ => Raw(Message(message)))).Completions[0].Text);

    public static TheoryData<string> Shapes() =>
    [
        """ , "id": 1, "id": 2, "model": null, "usage": {"completion_tokens": 7}, "usage": {"completion_tokens": 3}""",
        """ , "error": null, "usage": null""",
        """ , "usage": {"completion_tokens": "three"}, "model": ["m"]""",
        """ , "usage": {"completion_tokens": 1e99}, "choices_2": []""",
        """ , "usage": {"completion_tokens": -1}""",
    ];

    [Theory]
    [MemberData(nameof(Shapes))]
    public async Task Reply_WithOddMembersBesideTheAnswer_IsRead(string more) =>
        Assert.Equal("fine", (await OneAsync(_ => Raw(Message("""{"content": "fine"}""", more)))).Completions[0].Text);

    public static TheoryData<string, string?, int> Encodings() => new()
    {
        { "utf-8", "application/json; charset=utf8", 0 },
        { "utf-8", "application/json; charset=\"UTF8\"", 0 },
        { "utf-8", "application/json; charset=nonsense", 0 },
        { "utf-8", "text/plain; charset=iso-8859-1", 0 },
        { "utf-8", null, 3 },
        { "utf-16", "application/json; charset=utf-16", 2 },
        { "utf-16", "application/json", 0 },
        { "utf-16BE", "application/json", 0 },
        { "iso-8859-1", "application/json; charset=latin1", 0 },
    };

    [Theory]
    [MemberData(nameof(Encodings))]
    public async Task Charset_WhateverTheHeaderSays_TheBytesAreRead(string name, string? type, int mark)
    {
        var encoding = Encoding.GetEncoding(name);
        byte[] body = [.. mark > 0 ? encoding.GetPreamble() : [], .. encoding.GetBytes(Message("""{"content": "für É"}"""))];
        var answer = await OneAsync(_ => new StubReply(200, "") { Bytes = body, Headers = type is null ? [] : [("Content-Type", type)] });
        Assert.Equal("für É", answer.Completions[0].Text);
    }

    [Theory]
    [InlineData("stop", "stop", false)]
    [InlineData("eos_token", "stop", false)]
    [InlineData("length", "length", true)]
    [InlineData("MAX_TOKENS", "length", true)]
    [InlineData("model_length", "length", true)]
    [InlineData("content_filter", "content_filter", true)]
    [InlineData(null, "stop", false)]
    public async Task FinishReason_ByWhateverName_SaysWhetherTheAnswerIsWhole(string? said, string expected, bool isTruncated)
    {
        var reason = said is null ? "null" : $"\"{said}\"";
        var prompt = await OneAsync(_ => Raw($$"""{"choices": [{"message": {"content": "a"}, "finish_reason": {{reason}}}]}"""));
        var answer = prompt.Completions[0];
        Assert.Equal((expected, isTruncated), (answer.FinishReason, answer.IsTruncated));
    }

    public static TheoryData<string> PassingErrorsUnder200() =>
    [
        """{"error": {"message": "busy", "code": 429}}""",
        """{"error": {"message": "Provider returned error", "code": 502, "metadata": {"raw": "busy"}}}""",
        """{"error": "busy"}""",
        """{"error": "busy", "error_type": "overloaded"}""",
        """{"object": "error", "message": "busy", "code": 40303}""",
        """{"choices": [{"error": {"code": 503, "message": "busy"}, "finish_reason": "error", "message": {"content": "half an"}}]}""",
        """{"choices": null}""", """{"choices": [null]}""", """{"choices": [{}]}""", """{"choices": {"message": {}}}""",
        """{"choices": [{"message": {"content": 5}}]}""",
        "", "null", "[]", "data: {\"choices\": []}\n\n", "<html>Please log in</html>", "{\"choices\": [{\"message\": {\"content\": \"half",
    ];

    [Theory]
    [MemberData(nameof(PassingErrorsUnder200))]
    public async Task NoAnswerUnder200_IsTriedAgain(string body)
    {
        Assert.Equal("fine",
            (await OneAsync(request => request.Number < 2 ? Raw(body) : StubReply.Completion("fine"))).Completions[0].Text);
    }

    [Fact]
    public async Task NoAnswerThatStays_IsTheReasonOfThisPromptAlone()
    {
        using var server = new StubServer(request => request.LastMessage == "poison"
            ? Raw("""{"error": {"message": "tokenizer crashed\nat line 7"}}""") : StubReply.Completion("fine"));
        using var sampler = Open(server);
        var results = await sampler.SampleAsync([Ask("poison"), Ask("b"), Ask("c")], new SampleSettings());
        Assert.Equal($"{server.Url}: 200 OK: tokenizer crashed (tried 3 times)", results[0].Refusal);
        Assert.Equal(["fine", "fine"], results.Skip(1).Select(result => result.Completions[0].Text));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(40)]
    public async Task NoAnswerToAnybody_EndsTheRunSoon(int prompts)
    {
        using var server = new StubServer(_ => Raw("""{"error": "Unexpected endpoint or method"}"""));
        using var sampler = Open(server);
        var error = await Assert.ThrowsAsync<EndpointException>(() => sampler.SampleAsync(
            [.. Enumerable.Range(0, prompts).Select(i => Ask($"p{i}"))], new SampleSettings()));
        Assert.StartsWith($"{server.Url}: 200 OK: Unexpected endpoint or method (tried 3 times)", error.Message, StringComparison.Ordinal);
        Assert.InRange(server.Requests.Count, 3, 12);
    }

    public static TheoryData<int, string, string> Refusals() => new()
    {
        { 400, """{"error": {"message": "too long", "type": "invalid_request_error", "code": "context_length_exceeded"}}""",
            "400 Bad Request: too long" },
        { 200, """{"error": {"message": "too long", "code": 400}}""", "400 BadRequest: too long" },
        { 200, """{"error": {"message": "too long", "type": "exceed_context_size_error"}}""", "200 OK: too long" },
        { 422, """{"detail": [{"loc": ["body", "messages", 0], "msg": "field required", "type": "missing"}]}""",
            "422 Unprocessable Entity: body.messages.0: field required (missing)" },
        { 400, """{"object": "error", "message": "too long"}""", "400 Bad Request: too long" },
        { 403, """{"error": {"message": "flagged", "code": 403, "metadata": {"reasons": ["violence"], "flagged_input": "x"}}}""",
            "403 Forbidden: flagged" },
        { 400, """{"error": {"message": "filtered", "code": "content_filter"}}""", "400 Bad Request: filtered" },
        { 413, "too large", "413 Request Entity Too Large: too large" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Refusal_OfAPrompt_IsToldAndNotTriedAgain(int status, string body, string reason)
    {
        using var server = new StubServer(_ => new StubReply(status, body));
        using var sampler = Open(server);
        Assert.Equal($"{server.Url}: {reason}", (await sampler.SampleAsync([Ask()], new SampleSettings()))[0].Refusal);
        Assert.Single(server.Requests);
    }

    [Theory]
    [InlineData(402, "{}", "402 Payment Required. The account there has no credit left")]
    [InlineData(429, """{"error": {"message": "quota", "code": "insufficient_quota"}}""",
        "429 Too Many Requests: quota. The account there has no credit left")]
    [InlineData(404, """{"error":"model 'm' not found"}""",
        "404 Not Found: model 'm' not found. The address must end before /chat/completions")]
    [InlineData(200, """{"error": {"message": "no auth", "code": 401}}""", "401 Unauthorized: no auth. api_key_env names")]
    public async Task Fault_ThatNothingHelps_EndsTheRunWithAdvice(int status, string body, string expected)
    {
        using var server = new StubServer(_ => new StubReply(status, body));
        using var sampler = Open(server);
        var error = await Assert.ThrowsAsync<UserErrorException>(() => sampler.SampleAsync([Ask()], new SampleSettings()));
        Assert.StartsWith($"{server.Url}: {expected}", error.Message, StringComparison.Ordinal);
        Assert.Single(server.Requests);
    }

    [Theory]
    [InlineData("https://elsewhere.example/v2/chat/completions?key=secret",
        "a redirect to https://elsewhere.example/v2/chat/completions, which is not followed, since key and prompts would go there. If "
        + "that is meant, give url: https://elsewhere.example/v2")]
    [InlineData("/v9/chat/completions",
        "a redirect to BASE/v9/chat/completions, which is not followed, since key and "
        + "prompts would go there. If that is meant, give url: BASE/v9")]
    [InlineData("ftp://elsewhere/", "a redirect that names no address.")]
    [InlineData(null, "a redirect that names no address.")]
    public async Task Redirect_IsNamedAndNotFollowed(string? location, string expected)
    {
        foreach (var status in new[] { 301, 302, 303, 307, 308 })
        {
            using var server = new StubServer(_ => new StubReply(status, "moved")
            {
                Headers = location is null ? [] : [("Location", location)],
            });
            using var sampler = Open(server);
            var error = await Assert.ThrowsAsync<UserErrorException>(() => sampler.SampleAsync([Ask()], new SampleSettings()));
            Assert.Contains(expected.Replace("BASE", server.Url.GetLeftPart(UriPartial.Authority), StringComparison.Ordinal),
                error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
            Assert.Single(server.Requests);
        }
    }

    [Fact]
    public async Task ServerThatWantsOtherSettings_GetsThemFromThenOnAndIsTold()
    {
        using var server = new StubServer(request => request.Body switch
        {
            var body when body.ContainsKey("max_tokens") =>
                new StubReply(400,
                    """{"error": {"message": "Unsupported parameter: 'max_tokens' is not supported with this model. """
                        + """Use 'max_completion_tokens' instead.", "param": "max_tokens", "code": "unsupported_parameter"}}"""),
            var body when body.ContainsKey("temperature") =>
                new StubReply(400,
                    """{"error": {"message": "Unsupported value: 'temperature' does not support 0.5 with this model. """
                        + """Only the default (1) value is supported.", "param": "temperature", "code": "unsupported_value"}}"""),
            var body when body.ContainsKey("seed") =>
                new StubReply(422,
                    """{"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]}"""),
            var body => StubReply.Completion($"{body["max_completion_tokens"]}"),
        });
        var notes = new List<string>();
        using var sampler = Open(server, note: notes.Add);
        var settings = new SampleSettings { Count = 3, MaxNewTokens = 9, Sampling = new SamplingOptions { Temperature = 0.5 } };
        var result = (await sampler.SampleAsync([Ask()], settings))[0];
        Assert.Equal(["9", "9", "9"], result.Completions.Select(answer => answer.Text));
        Assert.Equal(6, server.Requests.Count);
        Assert.Equal(3, notes.Count);
        Assert.Contains("does not take the temperature", notes[1], StringComparison.Ordinal);
    }

    /// <summary>A value outside a server's range is a mistake to tell, not a setting to drop in silence.</summary>
    [Fact]
    public async Task ServerThatRefusesAValue_IsQuoted()
    {
        var result = await OneAsync(_ => StubReply.Error(400, "temperature must be between 0 and 1"));
        Assert.EndsWith("temperature must be between 0 and 1", result.Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tools_OfTheRow_TravelAndCallsComeBack()
    {
        using var server = new StubServer(_ => Raw(Message("""{"content": null, "tool_calls": [{"id": "a1", "type": "function","""
            + """ "function": {"name": "weather", "arguments": "{\"city\": \"Oslo\", \"city\": \"Bergen\"}"}},"""
            + """ {"function": {"name": "now", "arguments": ""}}, {"type": "odd"}]}""")));
        using var sampler = Open(server);
        var tools = new JsonArray(new JsonObject { ["name"] = "weather", ["parameters"] = new JsonObject() },
            new JsonObject { ["type"] = "function", ["function"] = new JsonObject { ["name"] = "now" } });
        var earlier = new Message
        {
            Role = "assistant",
            Extra = new JsonObject
            {
                ["tool_calls"] = new JsonArray(new JsonObject { ["function"] = new JsonObject { ["name"] = "now",
                    ["arguments"] = new JsonObject { ["zone"] = 1 } } }), ["weight"] = 1,
            },
        };
        var prompt = new SamplePrompt(
            Turns.Of([new Message { Role = "user", Content = "?" }, earlier, new Message { Role = "tool", Content = "12" }]), 1)
            {
                Template = new TemplateInputs(tools, null),
            };
        var answer = (await sampler.SampleAsync([prompt], new SampleSettings()))[0].Completions[0];
        var body = server.Requests[0].Body;
        Assert.Equal(
            """[{"type":"function","function":{"name":"weather","parameters":{}}},{"type":"function","function":{"name":"now"}}]""",
            body["tools"]!.ToJsonString());
        Assert.Equal(
            """{"role":"assistant","content":"","tool_calls":[{"id":"call_0","type":"function","function":"""
                + """{"name":"now","arguments":"{\u0022zone\u0022:1}"}}]}""",
            body["messages"]![1]!.ToJsonString());
        Assert.Equal(
            """[{"type":"function","function":{"name":"weather","arguments":{"city":"Bergen"}}},"""
                + """{"type":"function","function":{"name":"now","arguments":{}}}]""", answer.ToolCalls!.ToJsonString());
        Assert.False(answer.IsEmpty);
    }

    [Fact]
    public async Task Replies_AreBoundedEachAndTogether()
    {
        var large = StubReply.Completion(new string('x', 2 << 20));
        var one = await Assert.ThrowsAsync<EndpointException>(() => OneAsync(_ => large));
        Assert.EndsWith("the reply is longer than 1088 KiB, which no answer of so many tokens is", one.Message, StringComparison.Ordinal);
        var most = StubReply.Completion(new string('x', 24 << 20));
        using var server = new StubServer(_ => most);
        using var sampler = Open(server);
        var error = await Assert.ThrowsAsync<UserErrorException>(() => sampler.SampleAsync(
            [.. Enumerable.Range(0, 9).Select(i => Ask($"p{i}"))], new SampleSettings { MaxNewTokens = 200_000 }));
        Assert.Equal("the answers to 9 prompts are longer than 128 million letters together; lower prompts_per_save or max_new_tokens.",
            error.Message);
    }

    [Fact]
    public async Task Wait_ThatIsLong_IsToldOnceAndOfDaysEndsTheRun()
    {
        var notes = new List<string>();
        using (var server = new StubServer(request => request.Number < 2
            ? StubReply.Error(429, "slow", "75")
            : StubReply.Completion("fine")))
        {
            using var sampler = Open(server, note: notes.Add);
            await sampler.SampleAsync([Ask()], new SampleSettings());
            Assert.Equal($"waiting 75 s, as the server asks: {server.Url}: 429 Too Many Requests: slow", Assert.Single(notes));
        }
        using var far = new StubServer(_ => StubReply.Error(429, "slow", "400000"));
        using var other = Open(far);
        var error = await Assert.ThrowsAsync<EndpointException>(() => other.SampleAsync([Ask()], new SampleSettings()));
        Assert.EndsWith("slow (it asks to wait 4.6 days)", error.Message, StringComparison.Ordinal);
        using var farther = new StubServer(_ => StubReply.Error(429, "slow", "99999999999999999999"));
        using var last = Open(farther);
        var endless = await Assert.ThrowsAsync<EndpointException>(() => last.SampleAsync([Ask()], new SampleSettings()));
        Assert.EndsWith("slow (it asks to wait longer than 1000 days)", endless.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("retry-after-ms", "1500", 1.5)]
    [InlineData("Retry-After", "7", 7.0)]
    [InlineData("Retry-After", "0.5", 0.5)]
    [InlineData("Retry-After", "Wed, 21 Oct 2026 07:28:30 GMT", 30.0)]
    [InlineData("Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT", 0.0)]
    [InlineData("Retry-After", "soon", null)]
    [InlineData("Retry-After", "-5", null)]
    [InlineData("Retry-After", "NaN", null)]
    [InlineData("retry-after-ms", "-Infinity", null)]
    [InlineData("Retry-After", "1e999", null)]
    [InlineData("Retry-After", "99999999999999999999999", 1e9)]
    public void RetryAfter_EveryForm_IsATime(string name, string value, double? expected)
    {
        using var response = new HttpResponseMessage();
        response.Headers.TryAddWithoutValidation(name, value);
        var now = DateTimeOffset.Parse("2026-10-21T07:28:00Z", System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(expected, RetryAfter.Of(response.Headers, now)?.TotalSeconds);
        // The server's own clock counts where it tells it.
        response.Headers.Date = now.AddSeconds(-10);
        Assert.Equal(value.StartsWith("Wed, 21 Oct 2026", StringComparison.Ordinal) ? 40 : expected,
            RetryAfter.Of(response.Headers, now)?.TotalSeconds);
    }
}
