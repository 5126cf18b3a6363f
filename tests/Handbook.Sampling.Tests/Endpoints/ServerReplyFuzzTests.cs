using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Handbook.Sampling.Endpoints;
using Handbook.Sampling.Scoring;
using Microsoft.Extensions.AI;

namespace Handbook.Sampling.Tests.Endpoints;

/// <summary>
/// Mutated replies: whatever bytes, status and headers come, reading them gives an answer or one of the two documented exceptions, with
/// one line. Seeded; a thousand mutants here, and as many as fit into the processor seconds that <c>HANDBOOK_FUZZ_SECONDS</c> says,
/// when it is set.
/// </summary>
public sealed class ServerReplyFuzzTests
{
    private const string Variable = "HANDBOOK_TEST_FUZZ_KEY";
    private const string Key = "sk-fuzz-0123456789";

    private static readonly string[] Seeds =
    [
        """{"id": "x", "model": "m", "choices": [{"index": 0, "message": {"role": "assistant", "content": "Rating: [[7]]"},"""
            + """ "finish_reason": "stop"}], "usage": {"completion_tokens": 3}}""",
        """{"choices": [{"message": {"content": [{"type": "text", "text": "a"}, {"type": "thinking", "thinking": []}, "b"]},"""
            + """ "finish_reason": "length"}]}""",
        """{"choices": [{"message": {"content": null, "refusal": "no", "tool_calls": [{"id": "1", "function": {"name": "f","""
            + """ "arguments": "{\"a\": [1, null]}"}}]}}]}""",
        """{"error": {"message": "slow down", "type": "rate_limit", "param": "max_tokens", "code": 429, "metadata": {"raw": "x","""
            + """ "reasons": ["y"]}}}""",
        """{"error": {"message": "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead", "param": "max_tokens","""
            + """ "code": "unsupported_parameter"}}""",
        """{"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]}""",
        """{"object": "error", "message": "bad", "code": 40303}""",
        "data: {\"choices\": []}\n\ndata: [DONE]\n",
        "<html><head><title>502 Bad Gateway</title></head></html>",
        "On a scale of 1 to 10 (best), I rate it 7/10. <think>no</think> Verdict: [[A]]",
    ];

    private static readonly string[] Pieces =
    [
        "{", "}", "[", "]", "\"", ":", ",", "null", "true", "1e999", "-0", "99999999999999999999", "\\ud83d", "\\udc00", "\\u0000", "\\",
        "\ud83d", "\u202e", "\u001b[31m", "\n", "\0",
        "\"choices\":", "\"message\":", "\"content\":", "\"error\":", "\"code\":", "\"finish_reason\":", "{\"a\":{\"a\":", "[[[[[[[[", "[[",
        "]]", "</think>", "<think>", "1 to 10", "/10", "rating", Key,
    ];

    private static readonly string[] Headers =
    [
        "Retry-After", "retry-after-ms", "Location", "Content-Type", "Content-Encoding", "x-should-retry", "Date",
    ];

    private static readonly string[] Values =
    [
        "5", "-1", "1e9", "NaN", "Wed, 21 Oct 2026 07:28:00 GMT", "soon", "", "true", "false", "gzip", "br", "deflate", "utf8",
        "application/json; charset=utf8", "text/html; charset=\"",
        "http://[::1", "//x", "https://user:pw@x/y?z#w", "javascript:alert(1)", "https://x/\u00e9", "99999999999999999999999",
        "Thu, 01 Jan 0001 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT",
    ];

    [Fact]
    public async Task Read_MutatedReplies_AnswersOrOneOfTheDocumentedExceptions()
    {
        Environment.SetEnvironmentVariable(Variable, Key);
        var seconds = int.Parse(Environment.GetEnvironmentVariable("HANDBOOK_FUZZ_SECONDS") ?? "0", CultureInfo.InvariantCulture);
        var random = new Random(20261127 + seconds);
        using var replies = new Replies();
        using var client = new OpenAiChatClient(
            new EndpointOptions { Url = new Uri("http://localhost:1/v1"), Model = "m", ApiKeyVariable = Variable }, transport: replies);
        for (var i = 0; i < 1000 || Environment.CpuUsage.TotalTime.TotalSeconds < seconds; i++)
        {
            var body = Mutate(random);
            replies.Next = () => Reply(random, body);
            try
            {
                var said = (await client.GetResponseAsync([new ChatMessage(ChatRole.User, "x")],
                    new ChatOptions { MaxOutputTokens = 10, Temperature = 1, Seed = 1 })).Text;
                Assert.DoesNotContain(Key, said, StringComparison.Ordinal);
                Assert.Equal(said, Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(said)));
                JudgeVerdict.Parse(said, 1, 10);
                PairwiseJudgeScorer.Parse(said);
            }
            catch (Exception error) when (error is EndpointException or UserErrorException)
            {
                Assert.DoesNotContain(Key, error.Message, StringComparison.Ordinal);
                Assert.DoesNotContain(error.Message, char.IsControl);
                Assert.True(error.Message.Length < 1500, error.Message);
            }
            catch (Exception error)
            {
                Assert.Fail($"{error.GetType().Name} for {Convert.ToBase64String(body)}\n{error}");
            }
            JudgeVerdict.Parse(Encoding.UTF8.GetString(body), 1, 10);
            PairwiseJudgeScorer.Parse(Encoding.UTF8.GetString(body));
        }
    }

    private static byte[] Mutate(Random random)
    {
        var text = new StringBuilder(Seeds[random.Next(Seeds.Length)]);
        for (var edits = random.Next(6); edits > 0; edits--)
        {
            var at = random.Next(text.Length + 1);
            switch (random.Next(4))
            {
                case 0:
                    text.Insert(at, Pieces[random.Next(Pieces.Length)]);
                    break;
                case 1:
                    text.Remove(at, Math.Min(random.Next(12), text.Length - at));
                    break;
                case 2:
                    var from = random.Next(text.Length + 1);
                    text.Insert(at, text.ToString(from, Math.Min(random.Next(40), text.Length - from)));
                    break;
                default:
                    text.Length = at;
                    break;
            }
        }
        var bytes = (random.Next(20) switch { 0 =>
            Encoding.Unicode, 1 => Encoding.BigEndianUnicode, 2 => Encoding.Latin1, _ => Encoding.UTF8 }).GetBytes(text.ToString());
        for (var flips = random.Next(8) == 0 ? random.Next(5) : 0; flips > 0 && bytes.Length > 0; flips--)
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        return bytes;
    }

    private static HttpResponseMessage Reply(Random random, byte[] body)
    {
        int[] statuses =
        [
            200, 200, 200, 200, 201, 204, 301, 302, 304, 308, 400, 401, 402, 403, 404, 405, 408, 413, 418, 422, 425, 429, 451, 500,
            501, 503, 529, 599,
        ];
        var response = new HttpResponseMessage((HttpStatusCode)statuses[random.Next(statuses.Length)])
        {
            Content = new ByteArrayContent(body),
        };
        for (var count = random.Next(3); count > 0; count--)
        {
            var (name, value) = (Headers[random.Next(Headers.Length)], Values[random.Next(Values.Length)]);
            if (!response.Headers.TryAddWithoutValidation(name, value))
                response.Content.Headers.TryAddWithoutValidation(name, value);
        }
        if (random.Next(10) == 0)
            response.ReasonPhrase = "Odd " + random.Next();
        return response;
    }

    /// <summary>Replies without a network, so that a second tries thousands.</summary>
    private sealed class Replies : HttpMessageHandler
    {
        public Func<HttpResponseMessage> Next { get; set; } = () => new HttpResponseMessage();

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(Next());
    }
}
