using System.Text.Json.Nodes;
using Handbook.Data.Examples;
using Handbook.Data.Sources;
using Handbook.Models.Generation;
using Handbook.TestModels;
using Handbook.Training.Options;
using Handbook.Training.Progress;
using Handbook.Training.Sampling;
using Handbook.Training.Sampling.Endpoints;
using Handbook.Training.Sampling.Scoring;
using Handbook.Training.Tests.Sampling.Endpoints;

namespace Handbook.Training.Tests.Sampling;

public sealed class SamplingRunTests(TinyChat chat) : IClassFixture<TinyChat>
{
    private static readonly string[] Files = ["candidates.jsonl", "sft.jsonl", "preferences.jsonl", "report.html"];

    private SampleOptions Options(string output) => new()
    {
        Policy = new PolicyOptions { ModelFolder = chat.Policy },
        Prompts = new PromptOptions { Dataset = new DatasetRequest(chat.Prompts) },
        Settings = new SampleSettings { Count = 4, MaxNewTokens = 10, Sampling = new SamplingOptions { Temperature = 1.2 } },
        Scorers = [new ScorerOptions("reward_model:" + chat.RewardModel), new ScorerOptions("words", -0.5)],
        Selection = new SelectionOptions { KeepTruncated = true },
        OutputDirectory = chat.File(output),
        PromptsPerBlock = 3,
    };

    private static Task<SamplingResult> RunAsync(SampleOptions options, ITrainingProgress? progress = null, CancellationToken stop = default) =>
        new SamplingRun(options, progress ?? new SilentProgress(), new SkippingClock()).ExecuteAsync(stop);

    private Dictionary<string, string> Contents(string output) => Files.ToDictionary(name => name, name =>
        File.ReadAllText(Path.Combine(chat.File(output), name)).Replace(output, "OUT", StringComparison.Ordinal));

    private static Example[] Read(string file)
    {
        var source = RowSource.Open(new DatasetRequest(file), [new LocalDatasetResolver(".")], new SourceOptions());
        var reader = ExampleReader.Recognize(source);
        return [.. source.Read().Select(reader.Read)];
    }

    [Fact]
    public async Task Run_Sets_AreDatasetsAsTheyStand()
    {
        var result = await RunAsync(Options("sets"));
        var preferences = Read(result.Sets.Preferences).Cast<PreferenceExample>().ToList();
        var conversations = Read(result.Sets.Sft).Cast<ConversationExample>().ToList();
        Assert.Equal(44, Read(result.Sets.Candidates).Cast<CompletionExample>().Count());
        Assert.Equal(11, conversations.Count);
        Assert.NotEmpty(preferences);
        Assert.All(preferences, pair =>
        {
            Assert.Equal("user", Assert.Single(pair.Prompt.Messages!).Role);
            Assert.Equal("assistant", Assert.Single(pair.Chosen.Messages!).Role);
            Assert.NotEqual(pair.Chosen.PlainText, pair.Rejected.PlainText);
        });
        foreach (var row in File.ReadLines(result.Sets.Preferences).Select(line => JsonNode.Parse(line)!))
            Assert.True(row["score_chosen"]!.GetValue<double>() > row["score_rejected"]!.GetValue<double>());
        // The SFT set's answer is the preference set's chosen one.
        var best = File.ReadLines(result.Sets.Sft).Select(line => JsonNode.Parse(line)!).ToDictionary(row => row["prompt_id"]!.GetValue<string>());
        Assert.All(File.ReadLines(result.Sets.Preferences).Select(line => JsonNode.Parse(line)!), row =>
            Assert.Equal(best[row["prompt_id"]!.GetValue<string>()]["messages"]![1]!["content"]!.GetValue<string>(), row["chosen"]![0]!["content"]!.GetValue<string>()));
        Assert.Equal("id0", best.Keys.First());
    }

    [Fact]
    public async Task Run_Score_IsTheWeightedSumAndAllScoresAreKept()
    {
        var result = await RunAsync(Options("scores"));
        var rows = File.ReadLines(result.Sets.Candidates).Select(line => JsonNode.Parse(line)!).ToList();
        Assert.All(rows, row =>
        {
            var scores = row["scores"]!.AsObject();
            Assert.Equal(RuleTable.WordCount(row["completion"]![0]!["content"]!.GetValue<string>()), scores["words"]!.GetValue<double>());
            Assert.Equal(scores["reward_model:" + chat.RewardModel]!.GetValue<double>() - 0.5 * scores["words"]!.GetValue<double>(), row["score"]!.GetValue<double>(), 1e-9);
        });
        Assert.Equal(rows.Average(row => row["score"]!.GetValue<double>()), result.Statistics.ExpectedBest[0], 1e-9);
        Assert.True(result.Statistics.ExpectedBest[3] > result.Statistics.ExpectedBest[0]);
    }

    /// <summary>Stopped after every answer that there is, in sampling and in scoring, it ends as if nothing had happened.</summary>
    [Fact]
    public async Task Run_StoppedAgainAndAgain_EndsWithTheSameBytes()
    {
        await RunAsync(Options("whole") with { PromptsPerBlock = 1 });
        var stops = 0;
        for (var isDone = false; !isDone;)
        {
            using var stop = new CancellationTokenSource();
            try
            {
                await RunAsync(Options("stopped") with { PromptsPerBlock = 1 }, new StoppingProgress(stop, after: 3 + stops % 5), stop.Token);
                isDone = true;
            }
            catch (OperationCanceledException)
            {
                stops++;
            }
        }
        Assert.True(stops >= 6, $"stopped only {stops} times");
        Assert.Equal(Contents("whole"), Contents("stopped"));
    }

    [Fact]
    public async Task Run_HalfWrittenLine_IsMadeAnew()
    {
        await RunAsync(Options("torn"));
        var whole = Contents("torn");
        foreach (var journal in Directory.GetFiles(Path.Combine(chat.File("torn"), ".journal")))
        {
            var bytes = File.ReadAllBytes(journal);
            File.WriteAllBytes(journal, bytes[..(bytes.Length * 2 / 3)]);
        }
        Files.ToList().ForEach(name => File.Delete(Path.Combine(chat.File("torn"), name)));
        await RunAsync(Options("torn"));
        Assert.Equal(whole, Contents("torn"));
    }

    [Fact]
    public async Task Run_OtherScorer_KeepsTheAnswers()
    {
        var first = await RunAsync(Options("rescored"));
        var answers = File.ReadLines(first.Sets.Candidates).Select(line => JsonNode.Parse(line)!["completion"]!.ToJsonString()).ToList();
        // Without the policy's weights nothing can be sampled anew.
        var progress = new NotingProgress();
        var second = await RunAsync(Options("rescored") with { Scorers = [new ScorerOptions("words")] }, progress);
        Assert.Equal(answers, File.ReadLines(second.Sets.Candidates).Select(line => JsonNode.Parse(line)!["completion"]!.ToJsonString()));
        Assert.DoesNotContain(progress.Notes, note => note.StartsWith("sampling", StringComparison.Ordinal));
    }

    /// <summary>What a row tells the template decides what is sampled, and goes on into every set.</summary>
    [Fact]
    public async Task Run_TemplateArgumentsOfRows_ReachTheTemplateAndTheSets()
    {
        var prompts = chat.Write("thinking.jsonl", new[] { false, true }.Select(thinks => new JsonObject
        {
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "hello" }),
            ["chat_template_kwargs"] = new JsonObject { ["thinks"] = thinks },
        }));
        const string template = "{% for message in messages %}{{ message.content }}{% endfor %}{% if thinks %} one two three{% endif %}{% if add_generation_prompt %}:{% endif %}";
        var options = Options("thinking");
        var result = await RunAsync(options with
        {
            Policy = options.Policy with { Tokenizer = new TokenizerOptions { ChatTemplate = template } },
            Prompts = new PromptOptions { Dataset = new DatasetRequest(prompts) },
            Settings = options.Settings with { Sampling = SamplingOptions.Greedy, Count = 1 },
            Scorers = [new ScorerOptions("words")],
        });
        var rows = File.ReadLines(result.Sets.Sft).Select(line => JsonNode.Parse(line)!).ToList();
        Assert.Equal([false, true], rows.Select(row => row["chat_template_kwargs"]!["thinks"]!.GetValue<bool>()));
        Assert.NotEqual(rows[0]["messages"]![1]!["content"]!.GetValue<string>(), rows[1]["messages"]![1]!["content"]!.GetValue<string>());
        Assert.Equal(2, File.ReadLines(result.Sets.Candidates).Count(line => line.Contains("chat_template_kwargs", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Run_OtherSeed_GivesOtherAnswers()
    {
        await RunAsync(Options("seeded"));
        var first = Contents("seeded")["candidates.jsonl"];
        await RunAsync(Options("seeded") with { Seed = 7 });
        Assert.NotEqual(first, Contents("seeded")["candidates.jsonl"]);
    }

    [Fact]
    public async Task Run_ThroughAnEndpointWithFaultsAndAJudge_EndsLikeOneWithout()
    {
        static StubReply Reply(StubRequest request) => request.LastMessage.Contains("[Answer to rate]", StringComparison.Ordinal)
            ? StubReply.Answer($"Rating: [[{1 + request.LastMessage.Length % 10}]]")
            : StubReply.Answer($"seed {request.Body["seed"]}{new string('!', request.Body["seed"]!.GetValue<int>() % 7)}");
        using var good = new StubServer(Reply);
        using var bad = new StubServer(request => (request.Number % 5) switch
        {
            0 => StubReply.Error(429, "slow down", "1"),
            1 => new StubReply(200, "{", Cut: request.Number % 2 == 0),
            _ => Reply(request),
        });
        await RunAsync(Endpoint("good", good));
        await RunAsync(Endpoint("bad", bad));
        Assert.Equal(Contents("good")["candidates.jsonl"], Contents("bad")["candidates.jsonl"]);
        Assert.True(bad.Requests.Count > good.Requests.Count);
    }

    [Fact]
    public async Task Run_EndpointThatDies_KeepsWhatWasMade()
    {
        var isDead = true;
        using var server = new StubServer(request => isDead && request.Number > 20 ? StubReply.Error(500, "gone") : StubReply.Answer($"{request.Body["seed"]}"));
        var options = Endpoint("died", server) with { Scorers = [new ScorerOptions("regex:[5-9]$")] };
        await Assert.ThrowsAsync<EndpointException>(() => RunAsync(options));
        isDead = false;
        await RunAsync(options);
        // The first block was whole when the server died: none of its answers is asked for again.
        var kept = File.ReadLines(chat.Prompts).Take(3).Select(line => JsonNode.Parse(line)!["prompt"]!.GetValue<string>()).ToHashSet();
        Assert.Equal(12, server.Requests.Count(request => kept.Contains(request.LastMessage)));
    }

    [Fact]
    public async Task Run_EndpointThatRefusesEverything_SaysSoAndKeepsNothing()
    {
        var isStrict = true;
        using var server = new StubServer(_ => isStrict ? StubReply.Error(400, "max_tokens is too large") : StubReply.Answer("fine"));
        var options = Endpoint("strict", server) with { Scorers = [new ScorerOptions("words")] };
        var error = await Assert.ThrowsAsync<UserErrorException>(() => RunAsync(options));
        Assert.Equal($"sampling: none of the first 11 prompts could be completed: {server.Url}: 400 Bad Request: max_tokens is too large.", error.Message);
        isStrict = false;
        Assert.Equal(0, (await RunAsync(options)).Statistics.Refused);
    }

    private SampleOptions Endpoint(string output, StubServer server)
    {
        var endpoint = new EndpointOptions { Url = server.Url, Model = "m", MaxRetries = 50, Timeout = SkippingClock.Limit };
        return Options(output) with
        {
            Policy = new PolicyOptions { Endpoint = endpoint with { MaxRetries = output == "died" ? 0 : 50 } },
            Scorers = [new ScorerOptions(ScorerOptions.JudgeName) { Judge = new JudgeOptions { Endpoint = endpoint } }],
        };
    }
}
