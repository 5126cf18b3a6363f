using System.Text.Json.Nodes;
using Handbook.Data.Examples;
using Handbook.Data.Sources;
using Handbook.Models.Generation;
using Handbook.Sampling.Endpoints;
using Handbook.Sampling.Scoring;
using Handbook.Sampling.Tests.Endpoints;
using Handbook.TestModels;
using Handbook.Training.Options;
using Handbook.Training.Progress;

namespace Handbook.Sampling.Tests;

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

    private static Task<SamplingResult> RunAsync(
        SampleOptions options, ITrainingProgress? progress = null, CancellationToken stop = default) =>
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
        var best = File.ReadLines(result.Sets.Sft).Select(line => JsonNode.Parse(line)!)
            .ToDictionary(row => row["prompt_id"]!.GetValue<string>());
        Assert.All(File.ReadLines(result.Sets.Preferences).Select(line => JsonNode.Parse(line)!), row =>
            Assert.Equal(best[row["prompt_id"]!.GetValue<string>()]["messages"]![1]!["content"]!.GetValue<string>(),
                row["chosen"]![0]!["content"]!.GetValue<string>()));
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
            Assert.Equal(scores["reward_model:" + chat.RewardModel]!.GetValue<double>() - 0.5 * scores["words"]!.GetValue<double>(),
                row["score"]!.GetValue<double>(), 1e-9);
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
                await RunAsync(Options("stopped") with { PromptsPerBlock = 1 },
                    new StoppingProgress(stop, after: 3 + stops % 5), stop.Token);
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
        const string template =
            "{% for message in messages %}{{ message.content }}{% endfor %}{% if thinks %} one two three{% endif %}{% if "
            + "add_generation_prompt %}:{% endif %}";
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
        Assert.Equal(2,
            File.ReadLines(result.Sets.Candidates).Count(line => line.Contains("chat_template_kwargs", StringComparison.Ordinal)));
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
            ? StubReply.Completion($"Rating: [[{1 + request.LastMessage.Length % 10}]]")
            : StubReply.Completion($"seed {request.Body["seed"]}{new string('!', request.Body["seed"]!.GetValue<int>() % 7)}");
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
        using var server = new StubServer(request => isDead && request.Number > 20
            ? StubReply.Error(500, "gone") : StubReply.Completion($"{request.Body["seed"]}"));
        var options = Endpoint("died", server) with { Scorers = [new ScorerOptions("regex:[5-9]$")] };
        var error = await Assert.ThrowsAsync<EndpointException>(() => RunAsync(options));
        var lines = Directory.GetFiles(Path.Combine(chat.File("died"), ".journal"), "completions-*.jsonl").SelectMany(File.ReadLines)
            .Count();
        Assert.EndsWith(
            $"500 Internal Server Error: gone (tried once). sampling: {lines} of 11 "
                + "prompts are kept, and the same command goes on from there.", error.Message, StringComparison.Ordinal);
        isDead = false;
        await RunAsync(options);
        // The first block was whole when the server died: none of its answers is asked for again.
        var kept = File.ReadLines(chat.Prompts).Take(3).Select(line => JsonNode.Parse(line)!["prompt"]!.GetValue<string>()).ToHashSet();
        Assert.Equal(12, server.Requests.Count(request => kept.Contains(request.LastMessage)));
    }

    /// <summary>
    /// Prompts before the one that failed are kept though their block is not whole, and the end is that of a server that never failed.
    /// </summary>
    [Fact]
    public async Task Run_EndpointThatDiesInsideABlock_KeepsThePromptsBefore()
    {
        var isDead = true;
        using var server = new StubServer(request => isDead && request.Number > 9
            ? StubReply.Error(500, "gone") : StubReply.Completion($"{request.Body["seed"]}"));
        SampleOptions Of(string output) => Endpoint(output, server) with
        {
            Policy = new PolicyOptions
            {
                Endpoint = new EndpointOptions
                {
                    Url = server.Url, Model = "m", MaxRetries = 0, MaxConcurrency = 1, Timeout = SkippingClock.Limit,
                },
            },
            Scorers = [new ScorerOptions("regex:[5-9]$")],
            PromptsPerBlock = 8,
        };
        var error = await Assert.ThrowsAsync<EndpointException>(() => RunAsync(Of("inside")));
        Assert.Contains("sampling: 2 of 11 prompts are kept", error.Message, StringComparison.Ordinal);
        isDead = false;
        await RunAsync(Of("inside"));
        // 9 answers and the fault; the third prompt's only answer is asked for again with the rest.
        Assert.Equal(10 + 36, server.Requests.Count);
        await RunAsync(Of("never"));
        Assert.Equal(Contents("never")["candidates.jsonl"], Contents("inside")["candidates.jsonl"]);
    }

    [Fact]
    public async Task Run_JudgeOfNoSense_EndsWithOneFullStop()
    {
        using var policy = new StubServer(request => StubReply.Completion($"{request.Body["seed"]}"));
        using var server = new StubServer(_ => StubReply.Completion("It is blue, I think so."));
        var error = await Assert.ThrowsAsync<MachineException>(() => RunAsync(Judged("nonsense", policy, server, ScorerOptions.JudgeName)));
        Assert.Contains("there is no verdict in its words: It is blue, I think so. The answers are kept",
            error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_SetThatIsReadAsPrompts_IsNotWrittenOver()
    {
        var sets = (await RunAsync(Options("again"))).Sets;
        var before = File.ReadAllText(sets.Sft);
        var error = await Assert.ThrowsAsync<UserErrorException>(() => RunAsync(
            Options("again") with { Prompts = new PromptOptions { Dataset = new DatasetRequest(sets.Sft) } }));
        Assert.Equal($"output_dir: {sets.Sft}: is a file that is read here; name another.", error.Message);
        Assert.Equal(before, File.ReadAllText(sets.Sft));
    }

    [Fact]
    public async Task Run_NoPairs_HasNoWordsOfPairs()
    {
        var result = await RunAsync(Options("pairless") with { Scorers = [new ScorerOptions("max_words:100000")] });
        Assert.Contains(("words, chosen and rejected", "none"), result.Report.Facts);
    }

    [Fact]
    public async Task Run_EndpointThatRefusesEverything_SaysSoAndKeepsNothing()
    {
        var isStrict = true;
        using var server = new StubServer(_ => isStrict ? StubReply.Error(400, "max_tokens is too large") : StubReply.Completion("fine"));
        var options = Endpoint("strict", server) with { Scorers = [new ScorerOptions("words")] };
        var error = await Assert.ThrowsAsync<UserErrorException>(() => RunAsync(options));
        Assert.Equal($"sampling: none of the first 11 prompts could be completed: {server.Url}: 400 Bad Request: max_tokens is too large.",
            error.Message);
        isStrict = false;
        Assert.Equal(0, (await RunAsync(options)).Statistics.Refused);
    }

    /// <summary>A judge that refuses everything ends the run with its reason; repaired, it rates every answer that was kept.</summary>
    [Theory]
    [InlineData(ScorerOptions.JudgeName, 1)]
    [InlineData(ScorerOptions.JudgeName, 32)]
    [InlineData(ScorerOptions.PairwiseJudgeName, 3)]
    public async Task Run_JudgeThatNeverRates_EndsTheRunAndLeavesNoScores(string judge, int block)
    {
        var isBroken = true;
        using var policy = new StubServer(request => StubReply.Completion($"{request.Body["seed"]}"));
        using var server = new StubServer(request => isBroken
            ? StubReply.Error(400, "no such template")
            : StubReply.Completion(judge == ScorerOptions.JudgeName ? "Rating: [[5]]" : "[[A]]"));
        var options = Judged($"never{judge}{block}", policy, server, judge) with { PromptsPerBlock = block };
        var error = await Assert.ThrowsAsync<MachineException>(() => RunAsync(options));
        Assert.Matches(
            $"^scoring: {judge} rated none of the first \\d+ answers: {server.Url}: 400 Bad Request: no such template. The answers are "
                + "kept: once the judge is repaired, the same command scores them.$", error.Message);
        isBroken = false;
        var asked = policy.Requests.Count;
        var result = await RunAsync(options);
        Assert.Equal((0, 44), (result.Statistics.Unscored, result.Statistics.Scores.Count));
        Assert.Equal(asked, policy.Requests.Count);
    }

    /// <summary>What a judge left out is asked for again, and only that; the end is that of a judge that never failed.</summary>
    [Theory]
    [InlineData(ScorerOptions.JudgeName)]
    [InlineData(ScorerOptions.PairwiseJudgeName)]
    public async Task Run_JudgeThatFailsNowAndThen_RatesTheRestTheNextTime(string judge)
    {
        var isBroken = false;
        StubReply Reply(StubRequest request) => isBroken && request.LastMessage.Length % 3 == 0 ? StubReply.Error(400, "filtered")
            : StubReply.Completion(judge == ScorerOptions.JudgeName ? $"Rating: [[{1 + request.LastMessage.Length % 10}]]" : "[[A]]");
        using var policy = new StubServer(
            request => StubReply.Completion(new string('x', 1 + (request.Body["seed"]!.GetValue<int>() % 40))));
        using var server = new StubServer(Reply);
        await RunAsync(Judged("steady" + judge, policy, server, judge));
        var whole = server.Requests.Count;
        isBroken = true;
        var progress = new NotingProgress();
        var first = await RunAsync(Judged("shaky" + judge, policy, server, judge), progress);
        Assert.True(judge == ScorerOptions.JudgeName ? first.Statistics.Unscored > 0 : progress.Notes.Count > 0);
        isBroken = false;
        var before = server.Requests.Count;
        Assert.Equal(0, (await RunAsync(Judged("shaky" + judge, policy, server, judge))).Statistics.Unscored);
        Assert.True(server.Requests.Count - before < whole);
        if (judge == ScorerOptions.JudgeName)
        {
            Assert.Contains(progress.Notes,
                note => note.EndsWith("400 Bad Request: filtered; the same command asks it again for those", StringComparison.Ordinal));
            Assert.Equal(Contents("steady" + judge)["candidates.jsonl"], Contents("shaky" + judge)["candidates.jsonl"]);
        }
    }

    [Fact]
    public async Task Run_ToolsOfRows_ReachTheEndpointAndCallsTheSets()
    {
        var tools = new JsonArray(new JsonObject { ["type"] = "function", ["function"] = new JsonObject { ["name"] = "now" } });
        var prompts = chat.Write("tools.jsonl",
            [new JsonObject { ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "time?" }),
                ["tools"] = tools }]);
        using var server = new StubServer(request => request.Number % 2 == 0 ? StubReply.Completion("It is noon.")
            : new StubReply(200,
                """{"choices": [{"message": {"content": null, "tool_calls": [{"id": "1", "function": {"name": "now","""
                    + """ "arguments": "{\"zone\": \"CET\"}"}}]}}]}"""));
        var result = await RunAsync(Endpoint("tools", server) with
        {
            Prompts = new PromptOptions { Dataset = new DatasetRequest(prompts) }, Scorers = [new ScorerOptions("words", -1)],
            Settings = new SampleSettings { Count = 2 },
        });
        Assert.All(server.Requests, request => Assert.Equal(tools.ToJsonString(), request.Body["tools"]!.ToJsonString()));
        var best = JsonNode.Parse(Assert.Single(File.ReadLines(result.Sets.Sft)))!;
        Assert.Equal("""[{"type":"function","function":{"name":"now","arguments":{"zone":"CET"}}}]""",
            best["messages"]![1]!["tool_calls"]!.ToJsonString());
        Assert.Equal("It is noon.",
            JsonNode.Parse(Assert.Single(File.ReadLines(result.Sets.Preferences)))!["rejected"]![0]!["content"]!.GetValue<string>());
        Assert.IsType<ConversationExample>(Assert.Single(Read(result.Sets.Sft)));
    }

    private SampleOptions Judged(string output, StubServer policy, StubServer judge, string name) => Endpoint(output, policy) with
    {
        Scorers =
        [
            new ScorerOptions(name)
            {
                Judge = new JudgeOptions { Endpoint = new EndpointOptions { Url = judge.Url, Model = "j", Timeout = SkippingClock.Limit } },
            },
        ],
    };

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
